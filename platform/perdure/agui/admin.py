from django.contrib import admin
from unfold.admin import ModelAdmin

from perdure.agui.models import ProtocolRun, Thread, ThreadMessage, Turn


class ReadOnly(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Conversations are looked at here; their doors write them."""

    def has_add_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False


@admin.register(Thread)
class ThreadAdmin(ReadOnly):
    list_display = ("thread_id", "title", "owner", "team", "agent", "updated_at", "archived_at")
    search_fields = ("thread_id", "title")
    list_select_related = ("owner", "team")


@admin.register(Turn)
class TurnAdmin(ReadOnly):
    list_display = ("thread", "number", "run", "status", "settled_at")
    list_select_related = ("thread", "run")


@admin.register(ProtocolRun)
class ProtocolRunAdmin(ReadOnly):
    list_display = ("run_id", "part", "thread", "protocol_version", "created_at")
    list_select_related = ("thread",)
    search_fields = ("run_id",)


@admin.register(ThreadMessage)
class ThreadMessageAdmin(ReadOnly):
    list_display = ("thread", "position", "role", "message_id", "created_at")
    list_select_related = ("thread",)
