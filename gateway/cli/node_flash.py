"""`zen node flash`."""


def flash() -> None:
    """Stand-in."""
