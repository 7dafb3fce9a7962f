"""What docs/generate.py writes: one module for each page, or for a few that belong together."""
