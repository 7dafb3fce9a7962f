"""What may be asked in the query of an address."""

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.requests import Request


class BadQuery(HTTPException):
    """A query that cannot be answered: says what was found and what is allowed."""

    def __init__(self, **facts: str) -> None:
        super().__init__(400)
        self.facts = {"error": "bad_query", **facts}


def allow(request: "Request", *names: str) -> None:
    """Refuses a parameter that is not one of the names, or comes twice."""
    found = [name for name, _ in request.query_params.multi_items()]
    for name in found:
        if name not in names or found.count(name) > 1:
            raise BadQuery(field=name, found=request.url.query, allowed=", ".join(names) + " once" if names else "none")
