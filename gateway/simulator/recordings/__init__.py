"""Recorded series that the house lives again."""
