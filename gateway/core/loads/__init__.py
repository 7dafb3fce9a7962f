"""Loads that can wait, store or be shaped: what they are, and when they run."""
