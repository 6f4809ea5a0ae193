from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field


def _text_only(value: Any) -> Any:
    if not isinstance(value, str) or "T" not in value.upper():
        raise ValueError("must be a time as in 2026-01-31T12:00:00Z")
    return value


def _to_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as exc:
        raise ValueError("is beyond the years 1 to 9999 in UTC") from exc


Rfc3339 = Annotated[
    AwareDatetime,
    Field(strict=False, json_schema_extra={"examples": ["2026-01-31T12:00:00Z"]}),
    BeforeValidator(_text_only),
    AfterValidator(_to_utc),
]
"""A time with its offset, given as text; in UTC once it is read."""
