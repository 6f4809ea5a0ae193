"""What all of the engine's rows have in common in the admin."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin

from runs.jobs import readable

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
