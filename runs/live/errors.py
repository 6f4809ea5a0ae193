"""What the live doors refuse, and the two tables from an error's code to a status and to a WebSocket close code."""

from typing import Any

from django.http import JsonResponse

from runs.errors import RunsError

HTTP_STATUS = {
    "invalid_cursor": 400,
    "invalid_limit": 400,
    "invalid_stream": 400,
    "not_authenticated": 401,
    "token_invalid": 401,
    "run_not_found": 404,
    "not_found": 404,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "history_pruned": 410,
}
CLOSE_CODE = {
    "invalid_cursor": 4400,
    "invalid_message": 4400,
    "not_authenticated": 4401,
    "token_invalid": 4401,
    "run_not_found": 4404,
    "not_found": 4404,
    "sign_in_timeout": 4408,
    "message_too_big": 4413,  # not the protocol's own 1009: Daphne lets applications close with 1000 and 3000 to 4999
}
MAX_SEQUENCE = 2**63 - 1


class NotSignedIn(RunsError):
    code = "not_authenticated"

    def __init__(self) -> None:
        super().__init__("Nobody is signed in. Sign in, or send an API token as 'Authorization: Bearer <token>'.")


class TokenRefused(RunsError):
    code = "token_invalid"

    def __init__(self) -> None:
        super().__init__("This API token is not valid (any more). Send a whole, current token, or make a new one.")


class InvalidCursor(RunsError):
    code = "invalid_cursor"

    def __init__(self, where: str, value: str) -> None:
        self.where = where
        super().__init__(
            f"{where} is {value[:40]!r}. Send the sequence of the last event that you hold, or 0 to begin at the start."
        )

    @property
    def details(self) -> dict[str, Any]:
        return {"field": self.where}


class InvalidLimit(RunsError):
    code = "invalid_limit"

    def __init__(self, value: str, maximum: int) -> None:
        super().__init__(f"limit is {value[:40]!r}. Send a number from 1 to {maximum}.")

    @property
    def details(self) -> dict[str, Any]:
        return {"field": "limit"}


class InvalidStream(RunsError):
    code = "invalid_stream"

    def __init__(self, value: str, most: int) -> None:
        super().__init__(
            f"stream is {value[:60]!r}. Send <epoch>.<attempt>.<next offset>.<step> of what you hold, 0.0.0.<step> of "
            f"what you hold nothing of, and at most {most} of them."
        )

    @property
    def details(self) -> dict[str, Any]:
        return {"field": "stream"}


class NotAcceptable(RunsError):
    code = "not_acceptable"

    def __init__(self, offered: list[str]) -> None:
        self.offered = offered
        super().__init__(f"Events cannot be sent as your Accept header asks. Ask for one of: {', '.join(offered)}.")

    @property
    def details(self) -> dict[str, Any]:
        return {"offered": self.offered}


class MethodNotAllowed(RunsError):
    code = "method_not_allowed"

    def __init__(self, method: str) -> None:
        super().__init__(f"{method[:20]} is not allowed here. Read events with GET.")


class AddressNotFound(RunsError):
    code = "not_found"

    def __init__(self) -> None:
        super().__init__(
            "There is nothing at this address. Follow /ws/runs/, /ws/inbox/ or /ws/runs/<id>/?after=<sequence>."
        )


class MessageTooBig(RunsError):
    code = "message_too_big"

    def __init__(self, limit: int) -> None:
        super().__init__(f"A message of more than {limit} bytes was sent. This door takes short JSON messages only.")


class InvalidMessage(RunsError):
    code = "invalid_message"

    def __init__(self) -> None:
        super().__init__(
            'A message was not understood. Send {"type": "ping"}, or first {"type": "auth", "token": ...}.'
        )


class SignInTimeout(RunsError):
    code = "sign_in_timeout"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"No sign-in came within {seconds:g} s. Offer the subprotocol perdure.token.<token>, "
            'or send {"type": "auth", "token": ...} first.'
        )


def error_body(error: RunsError) -> dict[str, Any]:
    return {"error": {"code": error.code, "message": str(error), "details": error.details}}


def error_response(error: RunsError) -> JsonResponse:
    """The error shape of REST. An error that has no status here is our own failure and is raised on."""
    if error.code not in HTTP_STATUS:
        raise error
    response = JsonResponse(error_body(error), status=HTTP_STATUS[error.code])
    if response.status_code == 401:
        response["WWW-Authenticate"] = "Bearer"
    if response.status_code == 405:
        response["Allow"] = "GET, HEAD"
    response["Cache-Control"] = "no-store"
    return response


def parse_cursor(where: str, text: str) -> int:
    """A sequence from a header or a query. Raises InvalidCursor."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= MAX_SEQUENCE):
        raise InvalidCursor(where, text)
    return int(text)
