"""Moments inside sentences: a time of day and what is left until one, which the page's script keeps right."""

from datetime import UTC, datetime

from django.utils.html import format_html
from django.utils.safestring import SafeString

from perdure.dashboard.run.rows import duration_text, rfc3339
from runs import clock


def clock_time(at: datetime) -> SafeString:
    """ "14:02 UTC"; with its day where that is not today's."""
    at = at.astimezone(UTC)
    text = at.strftime("%H:%M UTC" if at.date() == clock.now().astimezone(UTC).date() else "%d %b %H:%M UTC")
    return format_html('<time datetime="{}" data-clock>{}</time>', rfc3339(at), text)


def time_left(until: datetime) -> SafeString:
    """ "40 s", which counts down in the page."""
    seconds = max(0, round((until - clock.now()).total_seconds()))
    text = f"{seconds} s" if seconds < 60 else duration_text(seconds)
    return format_html('<span data-until="{}">{}</span>', rfc3339(until), text)
