"""What the AG-UI doors refuse, and the one shape in which they tell it: `{"error": {"code", "message", "details"?}}`.

A refusal is an HTTP status before any event; what goes wrong later in a stream is a RUN_ERROR there.
"""

import logging
from typing import Any, ClassVar

from django.http import JsonResponse
from pydantic import ValidationError

from runs.errors import RunsError

FIELDS_AT_MOST = 50
TEXT_AT_MOST = 300

_log = logging.getLogger(__name__)


class AguiError(Exception):
    """Base of the refusals. `code` is stable; the message ends with the remedy."""

    code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 500

    @property
    def details(self) -> dict[str, Any]:
        return {}


class Unauthorized(AguiError):
    code, status = "UNAUTHORIZED", 401

    def __init__(self, why: str = "Nobody is signed in.") -> None:
        super().__init__(f"{why} Sign in, or send a whole, current token as 'Authorization: Bearer <token>'.")


class CsrfFailed(AguiError):
    code, status = "CSRF_FAILED", 403

    def __init__(self, why: str) -> None:
        super().__init__(
            f"{why[:200].rstrip('.')}. Send the token of the csrftoken cookie as X-CSRFToken, or a Bearer token."
        )


class PermissionDenied(AguiError):
    code, status = "PERMISSION_DENIED", 403


class InvalidInput(AguiError):
    """`fields` is a list of `{"field", "message"}`, of which the first FIELDS_AT_MOST are told."""

    code, status = "INVALID_INPUT", 400

    def __init__(self, fields: list[dict[str, str]]) -> None:
        self.fields = [{key: _shortened(text) for key, text in one.items()} for one in fields[:FIELDS_AT_MOST]]
        named = "; ".join(f"{one['field']}: {one['message']}" for one in self.fields[:5])
        super().__init__(f"The input does not fit: {named}. Correct it and send it again.")

    @classmethod
    def of(cls, field: str, message: str) -> "InvalidInput":
        return cls([{"field": field, "message": message}])

    @classmethod
    def from_pydantic(cls, exc: ValidationError) -> "InvalidInput":
        return cls(
            [
                {"field": ".".join(map(str, error["loc"])) or "body", "message": error["msg"]}
                for error in exc.errors(include_url=False, include_input=False, include_context=False)
            ]
        )

    @property
    def details(self) -> dict[str, Any]:
        return {"fields": self.fields}


class InputTooLarge(AguiError):
    code, status = "INPUT_TOO_LARGE", 413

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than {limit} bytes. Send only messages that are new, or shorter ones.")


class UnsupportedMediaType(AguiError):
    code, status = "UNSUPPORTED_MEDIA_TYPE", 415

    def __init__(self, given: str) -> None:
        super().__init__(f"The body is {given[:60]!r}. Send it as 'Content-Type: application/json'.")


class MethodNotAllowed(AguiError):
    code, status = "METHOD_NOT_ALLOWED", 405

    def __init__(self, method: str, allowed: tuple[str, ...]) -> None:
        self.allowed = allowed
        super().__init__(f"{method[:20]} is not allowed here. Use {' or '.join(allowed)}.")


class ThreadNotFound(AguiError):
    """Also for a thread of somebody else: its name alone must tell nothing."""

    code, status = "THREAD_NOT_FOUND", 404

    def __init__(self, thread_id: object) -> None:
        super().__init__(f"There is no thread {str(thread_id)[:64]!r} of yours. Begin one under another threadId.")


class AgentNotFound(AguiError):
    code, status = "AGENT_NOT_FOUND", 404

    def __init__(self, name: object, why: str = "") -> None:
        because = f": {why[:TEXT_AT_MOST].rstrip('.')}" if why else ""
        super().__init__(
            f"There is no agent {str(name)[:100]!r} for you to talk to{because}. "
            "Name one that /ag-ui/capabilities lists."
        )


class SessionExpired(AguiError):
    code, status = "SESSION_EXPIRED", 410

    def __init__(self, run_id: object) -> None:
        super().__init__(
            f"Run {str(run_id)[:64]!r} ended too long ago to be told event by event. "
            "Read its thread's messages instead."
        )


class InvalidSessionState(AguiError):
    code, status = "INVALID_SESSION_STATE", 409


class ThreadBusy(AguiError):
    """`run_id` is the run that is under way."""

    code, status = "THREAD_BUSY", 409

    def __init__(self, thread_id: str, run_id: str) -> None:
        self.run_id = run_id
        super().__init__(
            f"Thread {thread_id[:64]!r} is still at its last turn. Follow run {run_id[:64]!r} to its end, or cancel it."
        )

    @property
    def details(self) -> dict[str, Any]:
        return {"runId": self.run_id}


class TooManyRuns(AguiError):
    code, status = "TOO_MANY_RUNS", 429

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} runs are told on this socket already. Wait for one of them to end.")


class RunConflict(AguiError):
    code, status = "RUN_CONFLICT", 409

    def __init__(self, run_id: str) -> None:
        super().__init__(f"Run {run_id[:64]!r} was started with other input. Send new input under a new runId.")


class InterruptPending(AguiError):
    """`interrupts` are those that wait for an answer, as they were sent."""

    code, status = "INTERRUPT_PENDING", 409

    def __init__(self, interrupts: list[dict[str, Any]]) -> None:
        self.interrupts = interrupts
        super().__init__("The thread waits for answers. Send them in `resume`, or cancel the run, before new messages.")

    @property
    def details(self) -> dict[str, Any]:
        return {"interrupts": self.interrupts}


class InvalidInterruptId(AguiError):
    """Also for an interrupt of another thread."""

    code, status = "INVALID_INTERRUPT_ID", 404

    def __init__(self, interrupt_id: str) -> None:
        super().__init__(
            f"This thread has no interrupt {interrupt_id[:64]!r}; nothing was decided. "
            "Name one that its last run ended with."
        )


class InterruptExpired(AguiError):
    code, status = "INTERRUPT_EXPIRED", 410

    def __init__(self, interrupt_id: str) -> None:
        super().__init__(
            f"Interrupt {interrupt_id[:64]!r} has expired; nothing was decided. Send it as cancelled, and go on."
        )


class InterruptAnswered(AguiError):
    """Decided already, and otherwise: the first answer counts."""

    code, status = "INTERRUPT_ANSWERED", 409

    def __init__(self, interrupt_id: str, status: str, by: list[str]) -> None:
        who = f" by {' and '.join(by)}" if by else ""
        super().__init__(
            f"Interrupt {interrupt_id[:64]!r} is {status}{who}; nothing was changed. Read the thread again and go on."
        )


class InterruptChanged(AguiError):
    code, status = "INTERRUPT_CHANGED", 409

    def __init__(self, interrupt_id: str) -> None:
        super().__init__(
            f"What interrupt {interrupt_id[:64]!r} asks was changed after it was shown; nothing was decided. "
            "Read the thread again and answer what it asks now."
        )


class InvalidToolCallId(AguiError):
    """A result for a call that was never made, or has its result."""

    code, status = "INVALID_TOOL_CALL_ID", 400

    def __init__(self, got: str, expected: list[str]) -> None:
        named = ", ".join(one[:64] for one in expected[:5]) or "none"
        super().__init__(
            f"No call waits for a result under this id: expected {named}, got {got[:64]!r}. "
            "Send only results that are asked for."
        )


_OF_ENGINE: dict[str, tuple[int, str]] = {
    "not_authenticated": (401, "UNAUTHORIZED"),
    "token_invalid": (401, "UNAUTHORIZED"),
    "run_not_found": (404, "RUN_NOT_FOUND"),
    "job_not_found": (404, "AGENT_NOT_FOUND"),
    "pipeline_not_found": (404, "AGENT_NOT_FOUND"),
    "malformed_json": (400, "INVALID_INPUT"),
    "invalid_input": (400, "INVALID_INPUT"),
    "invalid_option": (400, "INVALID_INPUT"),
    "invalid_answer": (400, "INVALID_INPUT"),
    "invalid_pipeline": (400, "INVALID_INPUT"),
    "invalid_pipeline_input": (400, "INVALID_INPUT"),
    "storage_error": (400, "INVALID_INPUT"),
    "payload_too_large": (413, "INPUT_TOO_LARGE"),
    "may_not_answer": (403, "PERMISSION_DENIED"),
    "may_not_withdraw": (403, "PERMISSION_DENIED"),
    "question_not_found": (404, "INVALID_INTERRUPT_ID"),
    "question_closed": (409, "INTERRUPT_ANSWERED"),
    "already_answered": (409, "INTERRUPT_ANSWERED"),
    "question_changed": (409, "INTERRUPT_CHANGED"),
    "run_already_ended": (409, "INVALID_SESSION_STATE"),
    "history_pruned": (410, "SESSION_EXPIRED"),
}


def refusal(exc: AguiError | RunsError) -> JsonResponse:
    """The error as an answer. One that has no status here is our own failure and is raised on."""
    status, code = status_and_code(exc)
    response = JsonResponse(error_body(code, str(exc), exc.details), status=status)
    response["Cache-Control"] = "no-store"
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if isinstance(exc, MethodNotAllowed):
        response["Allow"] = ", ".join(exc.allowed)
    return response


def status_and_code(exc: AguiError | RunsError) -> tuple[int, str]:
    """As the doors tell it. Raises the error itself when it is none of a client's."""
    if isinstance(exc, AguiError):
        return exc.status, exc.code
    if exc.code not in _OF_ENGINE:
        raise exc
    return _OF_ENGINE[exc.code]


def failure(exc: Exception) -> JsonResponse:
    """The answer to our own failure, which only the log tells of."""
    _log.error("A door of AG-UI failed", exc_info=exc)
    said = "The server failed at this request; its log says why. Try again later."
    return JsonResponse(error_body("INTERNAL_ERROR", said), status=500)


def error_body(code: str, message: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message} | ({"details": details} if details else {})}


def _shortened(text: str) -> str:
    return text if len(text) <= TEXT_AT_MOST else text[: TEXT_AT_MOST - 1] + "…"
