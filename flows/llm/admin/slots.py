"""Calls of limited profiles that are under way or in the queue."""

from django.contrib import admin

from flows.llm.models import CallSlot
from runs.admin.base import EngineAdmin


@admin.register(CallSlot)
class CallSlotAdmin(EngineAdmin):
    list_display = ("profile", "run_id", "step", "worker", "asked_at")
    list_filter = ("profile",)
    list_select_related = ("profile",)
    search_fields = ("=run_id", "step")
    ordering = ("id",)
