"""Flow definitions in the admin: read, never changed."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from flows.agents.models import FlowDefinition


@admin.register(FlowDefinition)
class FlowDefinitionAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    list_display = ("name", "version", "origin", "creator", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
