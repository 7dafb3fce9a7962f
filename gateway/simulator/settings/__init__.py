"""The house file: what it may say, and what is wrong in it."""
