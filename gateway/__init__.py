"""The controller of one building. Start reading in `app.py`; the words are in docs/conventions.md."""

__version__ = "0.1.0"
