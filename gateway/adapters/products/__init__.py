"""Profiles of products, and what they make of registers, telegrams and set-points."""
