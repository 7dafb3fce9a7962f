"""The levels of a storage: dynamic programming over scenarios, the peak target, and the reason for each level."""
