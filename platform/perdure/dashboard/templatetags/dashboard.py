"""Tags of the pages: status badges, times, durations, values and the bar's links."""

from datetime import UTC, datetime
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from perdure.dashboard import navigation, rendering
from perdure.dashboard.diffs.lines import is_diff
from perdure.dashboard.run import moments, rows, titles
from perdure.dashboard.values import json_tree as trees
from perdure.dashboard.values import long_text as texts
from perdure.dashboard.values import source_code
from runs import clock
from runs.jobs import readable

register = template.Library()


@register.inclusion_tag("components/_badge.html")
def badge(status: str) -> dict[str, str]:
    """A status by icon, text and colour."""
    return {"status": str(status), "label": str(status).capitalize()}


@register.simple_tag
def when(at: datetime | None) -> SafeString | str:
    """A moment as UTC; the page's script makes it relative, and tells the viewer's own time on hover and focus."""
    if at is None:
        return "-"
    at = at.astimezone(UTC)
    shown = at.strftime("%d %b %Y %H:%M:%S UTC")
    return format_html('<time datetime="{}" data-relative>{}</time>', rows.rfc3339(at), shown)


@register.simple_tag
def duration(start: datetime | None, end: datetime | None = None) -> SafeString | str:
    """How long it took; goes on counting in the page while there is no end."""
    if start is None:
        return ""
    text = rows.duration_text(((end or clock.now()) - start).total_seconds())
    if end is not None:
        return text
    return format_html('<span data-since="{}">{}</span>', rows.rfc3339(start), text)


register.simple_tag(moments.time_left)
register.filter("title_of", titles.title_of)
register.filter("task_of", titles.task_of)
register.filter("reason_of", titles.reason_of)


@register.filter
def pretty(value: Any) -> str:
    return readable(value)


@register.filter
def markdown(text: str) -> SafeString:
    return rendering.render_markdown(text)


@register.filter
def is_markdown(text: str) -> bool:
    return rendering.looks_like_markdown(text)


register.filter("is_diff", is_diff)


@register.filter
def percent(progress: dict[str, Any] | None) -> int | None:
    """0 to 100, or None when there is no total to measure by."""
    if not progress or not progress.get("total"):
        return None
    done: float = 100 * (progress.get("current") or 0) / progress["total"]
    return max(0, min(100, round(done)))


register.simple_tag(rows.event_row)
register.simple_tag(rows.step_row)


@register.inclusion_tag("components/_json_tree.html")
def json_tree(value: Any, name: str = "") -> dict[str, Any]:
    """A JSON value as a tree that can be searched, copied and read as text. `name` is its label."""
    return {"tree": trees.draw(value), "name": name}


@register.inclusion_tag("components/_code.html")
def code(text: str, language: str = "text", label: str = "Code") -> dict[str, Any]:
    """Source code, coloured and copied with a button. `language` is a name that Pygments knows (`python`, `yaml`)."""
    return {"marked": source_code.mark(text, language), "text": text, "label": label}


@register.inclusion_tag("components/_long_text.html")
def long_text(text: str, label: str = "Text") -> dict[str, Any]:
    """A text as it is; of a long one only what is looked at is laid out."""
    return {"parts": texts.split(text), "label": label}


@register.inclusion_tag("components/_copy.html")
def copy(text: Any, label: str = "text") -> dict[str, str]:
    """A button that copies `text`; it says "Copy `label`"."""
    return {"text": str(text), "label": label}


@register.simple_tag(takes_context=True)
def work_links(context: dict[str, Any]) -> list[navigation.Link]:
    return navigation.links(context["request"], navigation.WORK)


@register.simple_tag(takes_context=True)
def manage_links(context: dict[str, Any]) -> list[navigation.Link]:
    return navigation.links(context["request"], navigation.MANAGE)
