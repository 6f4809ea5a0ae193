"""What all of the engine's rows have in common in the admin."""

from datetime import datetime
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil
from unfold.admin import ModelAdmin

from runs import clock
from runs.jobs import readable
from runs.models import Worker

STATUS_LABELS = {
    "queued": "default",
    "running": "info",
    "open": "info",
    "waiting": "warning",
    "retrying": "warning",
    "paused": "warning",
    "lost": "warning",
    "completed": "success",
    "failed": "danger",
    "cancelled": "default",
    "skipped": "default",
    "stopped": "default",
}


def as_json(value: Any) -> SafeString:
    """A value as indented JSON that keeps its line breaks."""
    return format_html('<pre style="white-space: pre-wrap; overflow-wrap: anywhere">{}</pre>', readable(value))


def as_error(error: Any) -> SafeString | str:
    """What went wrong, first as a sentence, then where: a traceback keeps its lines."""
    if not isinstance(error, dict):
        return "-" if error is None else as_json(error)
    rest = {name: value for name, value in error.items() if name not in ("type", "message", "traceback")}
    said = format_html("<p>{}: {}</p>", error.get("type", "Error"), error.get("message", ""))
    more = as_json(rest) if rest else ""
    trace = (
        format_html('<pre style="white-space: pre-wrap">{}</pre>', error["traceback"]) if error.get("traceback") else ""
    )
    return format_html("{}{}{}", said, more, trace)


def moment(at: datetime | None) -> SafeString | str:
    """A time in a row: how long ago, and on hover when."""
    if at is None:
        return "-"
    exact = timezone.localtime(at).strftime("%Y-%m-%d %H:%M:%S %Z")
    away = (at - clock.now()).total_seconds()
    words = "just now" if -60 < away <= 0 else f"in {timeuntil(at)}" if away > 0 else f"{timesince(at)} ago"
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact, words)


def lease_in_words(worker: Worker) -> str:
    """Whether the process of a worker lives, as far as its lease tells."""
    now = clock.now()
    if worker.expires_at > now:
        return f"alive until {timezone.localtime(worker.expires_at):%H:%M:%S}"
    return f"gone for {timesince(worker.expires_at, now)}"


class ReadOnly:
    """Nobody adds, changes or deletes: only the engine writes these rows."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class EngineAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """A list that stays fast with many rows."""

    show_full_result_count = False
    list_per_page = 50
