"""What a request can end with. Each error has the server's stable `code` and its message, which ends with a remedy."""

from typing import Any

import httpx


class PerdureError(Exception):
    """The server refused. `status` is the HTTP status, `details` what the server adds."""

    def __init__(self, code: str, message: str, status: int, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.details = details or {}


class NotSignedIn(PerdureError):
    """401: no token, or one that is not valid."""


class NotAllowed(PerdureError):
    """403."""


class NotFound(PerdureError):
    """404: it does not exist, or you may not see it."""


class Conflict(PerdureError):
    """409: the state does not allow it, such as answering a question that was answered."""


class Gone(PerdureError):
    """410: what you ask for was pruned."""


class ConnectionLost(Exception):
    """The server could not be reached again within the time given."""


_BY_STATUS: dict[int, type[PerdureError]] = {
    401: NotSignedIn,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    410: Gone,
}


def error_of(response: httpx.Response) -> PerdureError:
    """The error that a response of 400 or more tells. Its body must have been read."""
    try:
        told = response.json()["error"]
        code, message, details = str(told["code"]), str(told["message"]), told.get("details")
    except (ValueError, KeyError, TypeError):
        code, message, details = "unexpected_answer", f"The server answered {response.status_code}.", None
    return _BY_STATUS.get(response.status_code, PerdureError)(code, message, response.status_code, details)
