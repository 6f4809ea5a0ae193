"""What can go wrong at a vendor. Each wire has its own words for the ones that are answers."""

STATUSES = {
    "bad_request": 400,
    "context_overflow": 400,
    "authentication": 401,
    "permission": 403,
    "not_found": 404,
    "too_large": 413,
    "rate_limited": 429,
    "quota": 429,
    "server_error": 500,
    "bad_gateway": 502,
    "unavailable": 503,
    "overloaded": 529,
}
"""Answered instead of a model's answer, with the wire's own error body; `bad_gateway` is a proxy's HTML page."""

OF_STATUS = {
    400: "bad_request", 401: "authentication", 403: "permission", 404: "not_found", 413: "too_large",
    429: "rate_limited", 500: "server_error", 502: "bad_gateway", 503: "unavailable", 529: "overloaded",
}  # fmt: skip

IN_ANSWER = {"refusal", "content_filter"}
"""The model answers, but not with what was asked for."""

BROKEN = {"cut", "truncated", "malformed", "error_in_stream", "stall", "reset"}
"""After `after_chunks` pieces: the socket is closed; the stream ends as if whole but without its end marks; a piece is
no JSON; the vendor sends its error as a piece; nothing more comes. `reset`: the connection ends before any answer."""

ALL = {*STATUSES, *IN_ANSWER, *BROKEN}


def status_of(fault: str, wire: str) -> int:
    """The status with which a wire tells a fault instead of an answer."""
    if wire == "anthropic" and fault in ("quota", "content_filter"):
        return 400
    return STATUSES.get(fault, 500)
