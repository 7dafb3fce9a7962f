"""The scenario file: a building, what goes wrong in it and when, and what is expected."""
