"""Rows of which a page shows thousands, written without the cost of an included template for each."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from perdure.dashboard.flow.words import words_of
from runs.models import Step, StepStatus

WAITS = ("signal", "sleep", "child")
"""Kinds of steps that do nothing but wait, for days perhaps."""
_EVENT = (
    '<li data-sequence="{}" data-type="{}" {} title="{}"><span class="no">{}</span>'
    '<span><span class="type">{}</span><span class="say">{}</span></span></li>'
)
_STEP = (
    '<li><a class="step-row" data-step="{name}" data-status="{status}" href="{address}{query}">'
    '<span class="mark"><svg class="icon" aria-hidden="true"><use href="#icon-{icon}"/></svg>'
    '<span class="visually-hidden">{status}</span></span><span class="name">{name}</span>'
    '<span class="trouble">{trouble}</span>'
    '<span class="meta"><span class="attempts">{attempts}</span><span class="took"{since}>{took}</span></span></a></li>'
)


def event_row(event: Any | None) -> SafeString:
    """One row of the log; without an event the empty row that the page's script fills."""
    if event is None:
        return format_html(_EVENT, "", "", "", "", "", "", "")
    level = mark_safe(f'data-level="{_level(event)}"') if event.type == "log:write" else ""
    moment = event.created_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    number, kind = event.sequence, event.type
    return format_html(_EVENT, number, kind, level, moment, number, kind, event_text(event))


def step_row(step: Step | None, address: str) -> SafeString:
    """One row of the steps, which opens the step; without a step the empty row for the page's script.

    `address` is that of the tab, up to the step's name. Every row is of one height, so that thousands can be shown.
    """
    if step is None:
        empty = dict.fromkeys(("name", "status", "attempts", "took", "since", "trouble", "query"), "")
        return format_html(_STEP, **empty, icon=StepStatus.RUNNING, address=address)
    status = shown_status(step)
    running = status == StepStatus.RUNNING and step.started_at is not None
    return format_html(
        _STEP,
        name=step.name,
        status=status,
        icon=status,
        attempts=f"{step.attempts} attempts · " if step.attempts > 1 else "",
        since=format_html(' data-since="{}"', rfc3339(step.started_at)) if running and step.started_at else "",
        took=_took(step),
        trouble=trouble_text(step.error),
        address=address,
        query=quote(step.name, safe=""),
    )


def shown_status(step: Step) -> str:
    """The step's status; `waiting` for one that has begun and does nothing but wait."""
    return status_text(step.status, step.kind)


def status_text(status: str, kind: str) -> str:
    """The same of a row that was read without its model."""
    return "waiting" if status == StepStatus.RUNNING and kind in WAITS else str(status)


def rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def duration_text(seconds: float) -> str:
    """ "850 ms", "3.2 s", "4 min 05 s", "2 h 07 min"; `durationText` of page.js says the same."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def event_text(event: Any) -> str:
    """What an event says in a few words; `eventText` of event_text.js says the same of live ones."""
    data = event.data or {}
    if event.type == "log:write":
        return str(data.get("message", ""))
    if event.type == "run:progress":
        return f"{data.get('current')} of {data.get('total')} {data.get('message') or ''}".strip()
    if event.type.startswith("budget:"):
        return _budget_text(data)
    if event.type.startswith(("flow:", "artifact:")):
        return words_of(event.type, data)
    about = event.step or data.get("update") or ""
    error = data.get("error")
    if isinstance(error, dict):
        return f"{about} {error.get('type', '')}: {error.get('message', '')}".strip(": ")
    return f"{about} {data.get('signal') or data.get('reason') or ''}".strip()


def _budget_text(data: dict[str, Any]) -> str:
    if granted := data.get("granted"):
        return ", ".join(f"{name} +{amount}" for name, amount in granted.items())
    return f"{data.get('limit')}: {data.get('spent')} of {data.get('hard')}" if "spent" in data else str(data["limit"])


def _level(event: Any) -> str:
    level = (event.data or {}).get("level")
    return level if level in ("debug", "info", "warning", "error") else "info"


def _took(step: Step) -> str:
    if step.started_at is None or step.finished_at is None:
        return shown_status(step)
    return duration_text((step.finished_at - step.started_at).total_seconds())


def trouble_text(error: dict[str, Any] | None) -> str:
    """A step's error in a line; empty without one."""
    if not error:
        return ""
    text = f"{error.get('type')}: {error.get('message')}"
    return text if len(text) <= 300 else f"{text[:299]}…"
