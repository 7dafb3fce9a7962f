"""The built-in page: what the gateway knows, decides and why, for the people at the building.

It shows what a `View` gives it and has no way to change anything: every address is read-only.
"""

from gateway.web.app import create_app
from gateway.web.server import Address, AddressError, serve
from gateway.web.view import View

__all__ = ["Address", "AddressError", "View", "create_app", "serve"]
