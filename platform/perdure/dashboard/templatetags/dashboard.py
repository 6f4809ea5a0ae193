"""Tags of the pages: status badges, times, durations and JSON."""

from datetime import UTC, datetime
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from perdure.dashboard import rendering, rows, run_titles
from perdure.dashboard.diffs import DiffLine, diff_lines, is_diff
from runs import clock
from runs.jobs import readable

register = template.Library()


@register.inclusion_tag("dashboard/_badge.html")
def badge(status: str) -> dict[str, str]:
    """A status by icon, text and colour."""
    return {"status": str(status), "label": str(status).capitalize()}


@register.simple_tag
def when(at: datetime | None) -> SafeString | str:
    """A moment as UTC; the page's script makes its text relative."""
    if at is None:
        return "-"
    at = at.astimezone(UTC)
    shown = at.strftime("%d %b %Y %H:%M:%S UTC")
    return format_html('<time datetime="{}" title="{}" data-relative>{}</time>', rows.rfc3339(at), shown, shown)


@register.simple_tag
def duration(start: datetime | None, end: datetime | None = None) -> SafeString | str:
    """How long it took; goes on counting in the page while there is no end."""
    if start is None:
        return ""
    text = rows.duration_text(((end or clock.now()) - start).total_seconds())
    if end is not None:
        return text
    return format_html('<span data-since="{}">{}</span>', rows.rfc3339(start), text)


register.filter("title_of", run_titles.title_of)
register.filter("task_of", run_titles.task_of)
register.filter("reason_of", run_titles.reason_of)


@register.filter
def pretty(value: Any) -> str:
    return readable(value)


@register.filter
def markdown(text: str) -> SafeString:
    return rendering.render_markdown(text)


@register.filter
def is_markdown(text: str) -> bool:
    return rendering.looks_like_markdown(text)


@register.filter
def as_diff(text: str) -> list[DiffLine]:
    """The lines of a unified diff with their looks; none for another text."""
    return diff_lines(text) if is_diff(text) else []


@register.filter
def percent(progress: dict[str, Any] | None) -> int | None:
    """0 to 100, or None when there is no total to measure by."""
    if not progress or not progress.get("total"):
        return None
    done: float = 100 * (progress.get("current") or 0) / progress["total"]
    return max(0, min(100, round(done)))


register.simple_tag(rows.event_row)
register.simple_tag(rows.step_row)
