"""`zen study`: the command, its prices and its table."""
