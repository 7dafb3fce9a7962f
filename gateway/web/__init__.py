"""The built-in page: what the gateway knows, decides and why, for the people at the building.

It shows what a `ViewSource` gives it and has no way to change anything: every address is read-only.
"""

from gateway.web.app import create_app
from gateway.web.server import Address, AddressError, serve
from gateway.web.source import ViewSource

__all__ = ["Address", "AddressError", "ViewSource", "create_app", "serve"]
