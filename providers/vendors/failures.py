"""Whatever a vendor's SDK raises, as one of our errors. Nothing of the original goes along: it may hold the key."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
from pydantic_ai.exceptions import (
    AgentRunError,
    ModelAPIError,
    ModelHTTPError,
    ModelTimeoutError,
    UnexpectedModelBehavior,
    UserError,
)

from providers.errors import (
    AuthenticationFailed,
    BadRequest,
    ContextOverflow,
    MalformedAnswer,
    ModelNotFound,
    NotSupported,
    Overloaded,
    ProviderError,
    ProviderTimeout,
    QuotaExceeded,
    RateLimited,
    Refused,
    Unavailable,
)

LONGEST_QUOTE = 300
SHORTEST_KEY = 6

_CONTEXT_CODES = {
    "context_length_exceeded",
    "request_too_large",
    "exceed_context_size_error",
    "string_above_max_length",
}
_CONTEXT_WORDS = re.compile(
    r"maximum context length|prompt is too long|context window|context length|context size|"
    r"reduce the length of the messages|input length exceeds|input is too long",
    re.IGNORECASE,
)
_QUOTA_CODES = {"insufficient_quota", "billing_hard_limit_reached", "billing_error", "exceeded_current_quota_error"}
_QUOTA_WORDS = re.compile(
    r"credit balance is too low|exceeded your current quota|(daily|weekly|monthly) usage limit", re.IGNORECASE
)
_REFUSAL_CODES = {"content_filter", "content_policy_violation", "moderation_blocked"}
_REFUSAL_WORDS = re.compile(r"blocked by content filtering|rejected by (the|our) safety system", re.IGNORECASE)
_STATUSES = {
    "rate_limit_exceeded": 429, "rate_limit_error": 429, "overloaded_error": 529, "server_error": 500, "api_error": 500,
    "authentication_error": 401, "invalid_api_key": 401, "permission_error": 403, "model_not_found": 404,
    "not_found_error": 404, "invalid_request_error": 400, "timeout_error": 504,
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What a vendor told about a failure. `status`: None where nothing told it."""

    status: int | None
    names: tuple[str, ...] = ()
    message: str = ""
    retry_after: float | None = None

    @property
    def is_of_the_model(self) -> bool:
        """A 404 because there is no such model, and not because there is no such address."""
        return "model_not_found" in self.names or "model" in self.message.lower()


@dataclass(frozen=True)
class Failures:
    """For one endpoint. `who` names it in messages; the key is taken out of all that is quoted."""

    who: str
    key: str = field(default="", repr=False)

    def error(self, raised: Exception) -> ProviderError:
        """The error for whatever an SDK or pydantic-ai raised, by its whole chain of causes."""
        for one in _chain(raised):
            if isinstance(one, ProviderError):
                return one
            if isinstance(one, httpx2.TimeoutException | ModelTimeoutError):
                return ProviderTimeout(f"{self.who} sent nothing for too long.")
            if (told := _told(one)) is not None:
                return self._answered(told)
            if isinstance(one, httpx2.TransportError | OSError):
                return Unavailable(
                    f"{self.who} cannot be reached or hung up: {self.quoted(str(one) or type(one).__name__)}"
                )
            if isinstance(one, UserError):
                return BadRequest(f"{self.who} cannot be asked this: {self.quoted(one.message)}")
        why = raised.message if isinstance(raised, AgentRunError) else type(raised).__name__
        return MalformedAnswer(f"{self.who} sent what cannot be read: {self.quoted(why)}")

    def _answered(self, told: Told) -> ProviderError:
        status = told.status or next((_STATUSES[name] for name in told.names if name in _STATUSES), None)
        kind = _kind_by_words(told, status) or _kind_by_status(status)
        code = next(iter(told.names), "")
        quote = f": {self.quoted(told.message)}" if told.message and kind is not AuthenticationFailed else "."
        how = f"answered {status}" if told.status else "broke off with an error"
        problem = f"{self.who} {how}{f' ({code})' if code else ''}{quote}"
        if kind is ModelNotFound and not told.is_of_the_model:
            return NotSupported(
                f"{self.who} has nothing at this address; it offers no such call, or its base URL is wrong."
            )
        return kind(problem, retry_after=told.retry_after)

    def quoted(self, text: str) -> str:
        """The vendor's words: one line, short, a sentence, without the key and without what looks like a masked one."""
        if len(self.key) >= SHORTEST_KEY:
            text = text.replace(self.key, "[key]")
        text = re.sub(r"\S*\*{3,}\S*", "[key]", " ".join(text.split()))
        text = text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE] + "…"
        return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _chain(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    for _ in range(10):
        if found is None:
            return
        yield found
        found = found.__cause__  # not the context, which may be an error that the caller is handling


def _told(error: BaseException) -> Told | None:
    """What an error says of the vendor's answer; None where it does not come from one."""
    if isinstance(error, ModelHTTPError):
        names = [name for name in (error.provider_error_code, error.provider_error_type) if name]
        return _from_body(error.status_code, error.body, names, error.headers or {})
    status, response = getattr(error, "status_code", None), getattr(error, "response", None)
    if isinstance(status, int) and isinstance(response, httpx2.Response):
        return _from_body(status, getattr(error, "body", None), [], response.headers)
    if isinstance(error, ModelAPIError) and error.body is not None:
        return _from_body(None, error.body, [], {})
    return None


def _from_body(status: int | None, body: object, names: list[str], headers: Mapping[str, str]) -> Told:
    """The error object of a body, which the SDKs hand over with and without its `error` around it."""
    if isinstance(body, str):
        body = _json(body)
    inner: Any = body.get("error", body) if isinstance(body, dict) else None
    if isinstance(inner, str):
        inner = {"message": inner}
    if not isinstance(inner, dict):
        inner = {}
    more = [inner[name] for name in ("code", "type") if isinstance(inner.get(name), str) and inner[name] not in names]
    message = inner.get("message")
    return Told(status, (*names, *more), message if isinstance(message, str) else "", retry_after(headers))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from `retry-after-ms` or from `Retry-After`, which is a number of seconds or an HTTP date (RFC 9110)."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        return max(seconds, 0.0) if math.isfinite(seconds) else None
    try:
        moment = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    return max((moment - datetime.now(moment.tzinfo)).total_seconds(), 0.0)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _kind_by_words(told: Told, status: int | None) -> type[ProviderError] | None:
    """Statuses alone do not tell an overflow or a refusal from any other refused request, nor a quota from a rate."""
    is_refused = status is None or 400 <= status < 500
    if _CONTEXT_CODES.intersection(told.names) or (status in (None, 400, 413) and _CONTEXT_WORDS.search(told.message)):
        return ContextOverflow
    if _QUOTA_CODES.intersection(told.names) or (is_refused and _QUOTA_WORDS.search(told.message)):
        return QuotaExceeded
    if _REFUSAL_CODES.intersection(told.names) or (is_refused and _REFUSAL_WORDS.search(told.message)):
        return Refused
    return None


def _kind_by_status(status: int | None) -> type[ProviderError]:
    match status:
        case 401 | 403:
            return AuthenticationFailed
        case 402:
            return QuotaExceeded
        case 404:
            return ModelNotFound
        case 408:
            return ProviderTimeout
        case 413:
            return ContextOverflow
        case 429:
            return RateLimited
        case 503 | 529:
            return Overloaded
        case None | 409 | 425:
            return Unavailable
    return Unavailable if status >= 500 else BadRequest


def hung_up(raised: Exception) -> bool:
    """The connection broke, and no word of the vendor says why."""
    chain = list(_chain(raised))
    return any(isinstance(one, httpx2.TransportError | OSError) for one in chain) and not any(map(_told, chain))


def is_empty_stream(raised: Exception) -> bool:
    """pydantic-ai's word for a stream that ended before its first event."""
    return type(raised) is UnexpectedModelBehavior and "ended without" in raised.message
