"""The node. On a board started by the interpreter, on a computer by `micropython main.py` in the node's directory."""

import slot

_, mode = slot.begin()
try:
    from node.app import start
except Exception as error:  # whatever is wrong with it
    slot.failed(error)
start(print, mode)
