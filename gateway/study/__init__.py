"""Studies in virtual time: what the product would have done, and what it was worth. Nothing here runs in a building."""
