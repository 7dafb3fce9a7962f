"""The node. On a board started by the interpreter, on a computer by `micropython main.py` in the node's directory.

What only the start needs is dropped before the node runs: `node` is rebound, and `slot` leaves the modules.
"""

import sys

import boot
import slot

memory, mode = slot.begin()
try:
    from node.start import start as node

    node = node(print, memory, mode)  # type: ignore[assignment]  # `start` goes when its name does
except Exception as error:  # whatever is wrong with it
    slot.failed(memory, error)
del boot, slot, sys.modules["slot"]
node.live()  # type: ignore[attr-defined]
