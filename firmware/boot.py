"""Runs before main.py on the board: nothing here may fail."""

import gc

gc.threshold(8000)  # collect early and often: short pauses, little fragmentation
