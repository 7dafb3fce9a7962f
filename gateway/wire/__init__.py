"""What node and gateway say to each other.

Plain Python for two interpreters: CPython on the gateway and MicroPython on the board, where this folder is installed
as the package `wire`. So: no typing, dataclasses, enum, f-strings with `=`, `/`, or `raise ... from`.
"""
