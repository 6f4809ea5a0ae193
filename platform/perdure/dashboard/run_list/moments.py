"""Moments as people type them into a filter: an age, a day, or a time of a day."""

from datetime import UTC, datetime

from django.core.exceptions import BadRequest

from runs import clock
from runs.errors import InvalidOption
from runs.maintenance.retention import parse_age

REMEDY = "Write an age (30m, 24h, 7d), a day (2026-01-31) or a time in UTC (2026-01-31 14:00)."


def read_moment(name: str, text: str) -> datetime | None:
    """The moment in UTC, None for no text. Raises BadRequest for what is neither an age, a day nor a time."""
    if not text:
        return None
    try:
        return clock.now() - parse_age(text, name)
    except (InvalidOption, OverflowError):
        pass
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise BadRequest(f"{name!r} is no moment: {text[:40]!r}. {REMEDY}") from exc
