"""Conversations in the admin: to be read. Their doors write them."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.decorators import display

from perdure.agui.models import ProtocolRun, Thread, ThreadMessage, Turn
from perdure.agui.threads import erase
from runs.admin.base import STATUS_LABELS, EngineAdmin, ReadOnly, as_json
from runs.errors import RunsError
from runs.jobs import Actor

_INLINE_ROWS = 50


class _Rows(ReadOnly, TabularInline):  # type: ignore[misc]  # unfold has no types
    """The newest of one thread or turn; a long conversation has thousands."""

    extra = 0
    tab = True
    show_change_link = True
    parent = "thread"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        match = request.resolver_match
        shown = match.kwargs.get("object_id") if match is not None else None
        # a subquery, because the formset filters again, which a sliced query refuses
        newest = self.model.objects.filter(**{self.parent: shown}).order_by("-pk").values("pk")[:_INLINE_ROWS]
        return rows.filter(pk__in=newest)


class TurnsOfThread(_Rows):
    model = Turn
    verbose_name_plural = f"Turns (newest {_INLINE_ROWS})"
    fields = ("number", "run", "shown_status", "settled_at", "created_at")
    readonly_fields = ("shown_status",)

    @display(description="Status", label=STATUS_LABELS)  # type: ignore[untyped-decorator]
    def shown_status(self, turn: Turn) -> str:
        return _status(turn)


class MessagesOfThread(_Rows):
    model = ThreadMessage
    verbose_name_plural = f"Messages (newest {_INLINE_ROWS})"
    fields = ("position", "role", "shown_text", "created_at")
    readonly_fields = ("shown_text",)

    @admin.display(description="Text")
    def shown_text(self, message: ThreadMessage) -> str:
        return _text(message)


class ProtocolRunsOfTurn(_Rows):
    model = ProtocolRun
    verbose_name_plural = f"Protocol runs (newest {_INLINE_ROWS})"
    parent = "turn"
    fields = ("run_id", "part", "protocol_version", "after_sequence", "has_gap", "created_at")


@admin.register(Thread)
class ThreadAdmin(EngineAdmin):
    """Threads of every person and team. Deleting them needs its own permission."""

    list_display = ("__str__", "thread_id", "owner", "team", "agent", "updated_at", "archived_at")
    list_filter = ("team", "agent", "updated_at")
    list_select_related = ("owner", "team")
    search_fields = ("=thread_id", "title")
    fields = (
        *("thread_id", "title", "owner", "team", "agent", "shown_state", "created_at", "updated_at", "archived_at"),
    )
    readonly_fields = ("shown_state",)
    inlines = (TurnsOfThread, MessagesOfThread)
    actions = ("delete_threads",)

    @admin.display(description="State")
    def shown_state(self, thread: Thread) -> SafeString:
        return as_json(thread.state)

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("agui.delete_thread"))

    @admin.action(description="Delete the selected threads, and cancel what they are at", permissions=["erase"])
    def delete_threads(self, request: HttpRequest, queryset: QuerySet[Thread]) -> None:
        actor, deleted = Actor.of(request.user, address=request.META.get("REMOTE_ADDR", "")), 0
        for thread in queryset:
            try:
                erase(thread, actor)
                deleted += 1
            except RunsError as exc:
                self.message_user(request, str(exc), messages.WARNING)
        if deleted:
            self.message_user(request, f"{deleted} deleted.", messages.SUCCESS)


@admin.register(Turn)
class TurnAdmin(EngineAdmin):
    list_display = ("__str__", "shown_thread", "run", "shown_status", "settled_at", "created_at")
    list_filter = ("status", "created_at")
    list_select_related = ("thread", "run")
    search_fields = ("=thread__thread_id", "=run__id")
    ordering = ("-id",)
    fields = ("thread", "number", "run", "shown_status", "settled_at", "settled_until", "created_at")
    readonly_fields = ("shown_status",)
    inlines = (ProtocolRunsOfTurn,)

    @admin.display(description="Thread", ordering="thread__title")
    def shown_thread(self, turn: Turn) -> str:
        return str(turn.thread)

    @display(description="Status", label=STATUS_LABELS)  # type: ignore[untyped-decorator]
    def shown_status(self, turn: Turn) -> str:
        return _status(turn)


@admin.register(ProtocolRun)
class ProtocolRunAdmin(EngineAdmin):
    list_display = ("run_id", "part", "thread", "protocol_version", "created_at")
    list_select_related = ("thread",)
    search_fields = ("=run_id", "=thread__thread_id")
    ordering = ("-id",)
    fields = (
        *("thread", "turn", "run_id", "part", "parent_run_id", "protocol_version", "after_sequence", "has_gap"),
        *("input_digest", "shown_input", "shown_outcome", "created_at"),
    )
    readonly_fields = ("shown_input", "shown_outcome")

    @admin.display(description="Input")
    def shown_input(self, protocol_run: ProtocolRun) -> SafeString:
        return as_json(protocol_run.input)

    @admin.display(description="Outcome")
    def shown_outcome(self, protocol_run: ProtocolRun) -> SafeString:
        return as_json(protocol_run.outcome)


@admin.register(ThreadMessage)
class ThreadMessageAdmin(EngineAdmin):
    list_display = ("thread", "position", "role", "shown_text", "created_at")
    list_filter = ("role", "created_at")
    list_select_related = ("thread",)
    search_fields = ("=message_id", "=thread__thread_id")
    ordering = ("-id",)
    fields = (
        *("thread", "turn", "position", "role", "message_id", "is_input", "shown_data", "shown_model_message"),
        "created_at",
    )
    readonly_fields = ("shown_data", "shown_model_message")

    @admin.display(description="Text")
    def shown_text(self, message: ThreadMessage) -> str:
        return _text(message)

    @admin.display(description="Message")
    def shown_data(self, message: ThreadMessage) -> SafeString:
        return as_json(message.data)

    @admin.display(description="As models are told it")
    def shown_model_message(self, message: ThreadMessage) -> SafeString:
        return as_json(message.model_message)


def _status(turn: Turn) -> str:
    return turn.run.status if turn.run is not None else turn.status


def _text(message: ThreadMessage) -> str:
    """Enough of it to know it again."""
    content = message.data.get("content")
    calls = ", ".join(f"{call['function']['name']}(…)" for call in message.data.get("toolCalls") or ())
    if isinstance(content, list):
        content = " ".join(part.get("text") or f"[{part.get('type')}]" for part in content)
    text = " ".join(str(part) for part in (content, calls) if part)
    return text if len(text) <= 120 else text[:119] + "…"
