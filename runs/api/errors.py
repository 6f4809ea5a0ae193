"""The one table from error codes to statuses, and the one shape in which REST tells of errors."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import Http404
from pydantic import ValidationError
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from runs.errors import HistoryPruned, RunsError

STATUS: dict[str, int] = {
    "invalid_request": 400,
    "invalid_input": 400,
    "invalid_option": 400,
    "invalid_arguments": 400,
    "storage_error": 400,
    "bad_request": 400,
    "malformed_json": 400,
    "not_authenticated": 401,
    "token_invalid": 401,
    "token_expired": 401,
    "token_revoked": 401,
    "user_inactive": 401,
    "csrf_failed": 403,
    "token_reads_only": 403,
    "permission_denied": 403,
    "may_not_grant": 403,
    "job_not_found": 404,
    "run_not_found": 404,
    "artifact_not_found": 404,
    "rollout_not_found": 404,
    "queue_not_found": 404,
    "handler_not_found": 404,
    "update_not_found": 404,
    "schedule_not_found": 404,
    "preset_not_found": 404,
    "not_found": 404,
    "method_not_allowed": 405,
    "not_acceptable": 406,
    "idempotency_conflict": 409,
    "run_already_ended": 409,
    "run_not_finished": 409,
    "run_not_paused": 409,
    "run_not_failed": 409,
    "run_not_movable": 409,
    "run_without_budget": 409,
    "version_unfit": 409,
    "update_refused": 409,
    "name_taken": 409,
    "schedule_busy": 409,
    "schedule_over": 409,
    "owner_inactive": 409,
    "history_pruned": 410,
    "payload_too_large": 413,
    "unsupported_media_type": 415,
    "query_failed": 422,
    "throttled": 429,
    "internal_error": 500,
    "handler_timeout": 504,
}

_log = logging.getLogger(__name__)


FIELDS_AT_MOST = 50
TEXT_AT_MOST = 300
"""Characters of a field's name or message: names are the caller's, and an answer is no larger for a hostile body."""


class InvalidRequest(RunsError):
    """A body, a filter or a cursor that is not what the door takes; `fields` is a list of `{"field", "message"}`.

    It tells of the first FIELDS_AT_MOST of them, and in `left_out` how many more there are.
    """

    code = "invalid_request"

    def __init__(self, fields: list[dict[str, str]]) -> None:
        told = fields[:FIELDS_AT_MOST]
        self.fields = [{key: _shortened(text) for key, text in field.items()} for field in told]
        self.left_out = len(fields) - len(told)
        named = "; ".join(f"{field['field']}: {field['message']}" for field in self.fields[:5])
        super().__init__(f"The request does not fit: {named}. Correct it as the schema at /api/schema/ says.")

    @classmethod
    def of(cls, field: str, message: str) -> "InvalidRequest":
        return cls([{"field": field, "message": message}])

    @classmethod
    def from_pydantic(cls, exc: ValidationError) -> "InvalidRequest":
        return cls([_field(error) for error in exc.errors(include_url=False, include_input=False)])

    @property
    def details(self) -> dict[str, Any]:
        return {"fields": self.fields} | ({"left_out": self.left_out} if self.left_out else {})


class MalformedJson(RunsError):
    code = "malformed_json"

    def __init__(self, problem: str) -> None:
        super().__init__(f"The body cannot be read as JSON: {problem}. Send one JSON object in UTF-8.")


def error_body(code: str, message: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "details": details or {}}}


def handle_error(exc: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: every error, ours and DRF's, in the error shape."""
    if (request := context.get("request")) is not None:
        # Also where the answer would be YAML or a page.
        request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
    if isinstance(exc, RunsError) and exc.code in STATUS:
        return _response(exc.code, str(exc), exc.details, _status_of(exc))
    if isinstance(exc, Http404):
        exc = exceptions.NotFound()
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    if isinstance(exc, exceptions.APIException):
        return _from_drf(exc, context)
    if isinstance(exc, RequestDataTooBig):
        return _response("payload_too_large", "The body is too large. Store a reference to the data instead.")
    if isinstance(exc, SuspiciousOperation):
        return _response("bad_request", "The request is malformed. Correct its address or headers.")
    # Our own failure: the log gets the whole of it, the caller only that it happened.
    _log.error("%s failed", type(context.get("view")).__name__, exc_info=exc)
    got_request_exception.send(sender=handle_error, request=context.get("request"))
    return _response("internal_error", "The server failed to answer. Try again; the operators' log has the reason.")


def _status_of(exc: RunsError) -> int:
    """What is pruned is gone for readers; for an action that needs it the run is in the wrong state."""
    return 409 if isinstance(exc, HistoryPruned) and exc.action else STATUS[exc.code]


def _from_drf(exc: exceptions.APIException, context: dict[str, Any]) -> Response:
    headers: dict[str, str] = {}
    details: dict[str, Any] = {}
    if header := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if (wait := getattr(exc, "wait", None)) is not None:
        headers["Retry-After"] = str(int(wait) + 1)
        details["retry_after_seconds"] = int(wait) + 1
    code, message = _told(exc, context)
    return _response(code, message, details, exc.status_code, headers)


_TOLD: dict[type[exceptions.APIException], tuple[str, str]] = {
    exceptions.NotAuthenticated: (
        "not_authenticated",
        "Sign in, or send an API token as 'Authorization: Bearer <token>'.",
    ),
    exceptions.PermissionDenied: (
        "permission_denied",
        "You may not do this. Ask an administrator, or use another account.",
    ),
    exceptions.NotFound: (
        "not_found",
        "There is nothing at this address. Check it against /api/schema/.",
    ),
    exceptions.NotAcceptable: (
        "not_acceptable",
        "Nothing can be sent as your Accept header asks. Send 'Accept: application/json'.",
    ),
    exceptions.UnsupportedMediaType: (
        "unsupported_media_type",
        "Only JSON is read here. Send it with 'Content-Type: application/json'.",
    ),
    exceptions.Throttled: (
        "throttled",
        "Too many requests. Wait as long as Retry-After says.",
    ),
}


def _told(exc: exceptions.APIException, context: dict[str, Any]) -> tuple[str, str]:
    """Code and message, with the remedy that DRF's own texts lack."""
    if isinstance(exc, exceptions.AuthenticationFailed):
        return str(exc.get_codes()), str(exc.detail)
    if isinstance(exc, exceptions.PermissionDenied) and str(exc.detail).startswith("CSRF"):
        return "csrf_failed", "The CSRF token is missing or wrong. Send it as X-CSRFToken, or use an API token."
    if isinstance(exc, exceptions.MethodNotAllowed):
        allowed = ", ".join(getattr(context.get("view"), "allowed_methods", []))
        return "method_not_allowed", f"{exc.detail} Use one of: {allowed}."
    return _TOLD.get(type(exc)) or ("bad_request", f"{exc.detail} Correct the request as /api/schema/ says.")


def _response(
    code: str,
    message: str,
    details: dict[str, Any] | None = None,
    status: int | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    return Response(error_body(code, message, details), status=status or STATUS[code], headers=headers)


def _field(error: Any) -> dict[str, str]:
    name = ".".join(str(part) for part in error["loc"]) or "body"
    if error["type"] == "extra_forbidden":
        return {"field": name, "message": "is not a field of this request; leave it out"}
    return {"field": name, "message": error["msg"].removeprefix("Value error, ")}


def _shortened(text: str) -> str:
    return text if len(text) <= TEXT_AT_MOST else f"{text[: TEXT_AT_MOST - 1]}…"
