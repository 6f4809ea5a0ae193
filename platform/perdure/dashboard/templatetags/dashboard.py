"""Tags of the pages: status badges, times, durations and JSON."""

from datetime import UTC, datetime
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from perdure.dashboard import rendering
from runs import clock

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
    return format_html(
        '<time datetime="{}" title="{}" data-relative>{}</time>', at.isoformat().replace("+00:00", "Z"), shown, shown
    )


@register.simple_tag
def duration(start: datetime | None, end: datetime | None = None) -> SafeString | str:
    """How long it took; goes on counting in the page while there is no end."""
    if start is None:
        return ""
    text = _duration_text(((end or clock.now()) - start).total_seconds())
    if end is not None:
        return text
    return format_html(
        '<span data-since="{}">{}</span>', start.astimezone(UTC).isoformat().replace("+00:00", "Z"), text
    )


def _duration_text(seconds: float) -> str:
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


@register.filter
def pretty(value: Any) -> str:
    return rendering.pretty_json(value)


@register.filter
def markdown(text: str) -> SafeString:
    return rendering.render_markdown(text)


@register.filter
def is_markdown(text: str) -> bool:
    return rendering.looks_like_markdown(text)


@register.filter
def percent(progress: dict[str, Any] | None) -> int | None:
    """0 to 100, or None when there is no total to measure by."""
    if not progress or not progress.get("total"):
        return None
    done: float = 100 * (progress.get("current") or 0) / progress["total"]
    return max(0, min(100, round(done)))


@register.simple_tag
def event_row(event: Any | None) -> SafeString:
    """One row of the log; without an event the empty row that the page's script fills.

    Not an included template: a page shows a thousand of them.
    """
    if event is None:
        return format_html(_EVENT_ROW, "", "", "", "", "", "", "")
    level = f'data-level="{_level(event)}"' if event.type == "log:write" else ""
    moment = event.created_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    number, kind = event.sequence, event.type
    return format_html(_EVENT_ROW, number, kind, mark_safe(level), moment, number, kind, event_text(event))


_EVENT_ROW = (
    '<li data-sequence="{}" data-type="{}" {} title="{}"><span class="no">{}</span>'
    '<span><span class="type">{}</span><span class="say">{}</span></span></li>'
)


def _level(event: Any) -> str:
    level = (event.data or {}).get("level")
    return level if level in ("debug", "info", "warning", "error") else "info"


def event_text(event: Any) -> str:
    """What an event says in a few words; `eventText` of render.js says the same of live ones."""
    data = event.data or {}
    if event.type == "log:write":
        return str(data.get("message", ""))
    if event.type == "run:progress":
        return f"{data.get('current')} of {data.get('total')} {data.get('message') or ''}".strip()
    error = data.get("error")
    if isinstance(error, dict):
        return f"{event.step or ''} {error.get('type', '')}: {error.get('message', '')}".strip(": ")
    return f"{event.step or ''} {data.get('reason') or ''}".strip()
