"""The node. On a board started by the interpreter, on a computer by `micropython main.py` in the node's directory."""

from node.app import start

start(print)
