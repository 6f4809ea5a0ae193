"""Queues in the admin: what operators say of them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from runs import jobs
from runs.models import Queue


@admin.register(Queue)
class QueueAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """A queue without a row has no limit but that of the settings."""

    list_display = ("name", "concurrency", "shown_state", "running", "queued")
    fields = ("name", "concurrency", "is_paused")
    search_fields = ("name",)
    actions = ("pause_queues", "resume_queues")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Queue]:
        self.counts = {queue.name: queue.runs for queue in jobs.queues(request.user)}
        rows: QuerySet[Queue] = super().get_queryset(request)
        return rows

    def get_readonly_fields(self, request: HttpRequest, obj: Queue | None = None) -> tuple[str, ...]:
        return ("name",) if obj is not None else ()

    @display(description="State", label={"open": "success", "paused": "warning"})  # type: ignore[untyped-decorator]
    def shown_state(self, queue: Queue) -> str:
        return "paused" if queue.is_paused else "open"

    @admin.display(description="Running")
    def running(self, queue: Queue) -> int:
        return self.counts.get(queue.name, {}).get("running", 0)

    @admin.display(description="Queued")
    def queued(self, queue: Queue) -> int:
        return self.counts.get(queue.name, {}).get("queued", 0)

    def save_model(self, request: HttpRequest, obj: Queue, form: Any, change: bool) -> None:
        obj.pk = self._set(request, obj, is_paused=obj.is_paused).pk

    def delete_model(self, request: HttpRequest, obj: Queue) -> None:
        jobs.forget_queue(obj.name, self._actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Queue]) -> None:
        for queue in queryset:
            self.delete_model(request, queue)

    @admin.action(description="Pause the selected queues", permissions=["change"])
    def pause_queues(self, request: HttpRequest, queryset: QuerySet[Queue]) -> None:
        self._set_all(request, queryset, is_paused=True)

    @admin.action(description="Resume the selected queues", permissions=["change"])
    def resume_queues(self, request: HttpRequest, queryset: QuerySet[Queue]) -> None:
        self._set_all(request, queryset, is_paused=False)

    def _set_all(self, request: HttpRequest, queues: QuerySet[Queue], *, is_paused: bool) -> None:
        count = len([self._set(request, queue, is_paused=is_paused) for queue in queues])
        self.message_user(request, f"{count} {'paused' if is_paused else 'resumed'}.")

    def _set(self, request: HttpRequest, queue: Queue, *, is_paused: bool) -> Queue:
        return jobs.set_queue(
            queue.name, self._actor(request), concurrency=queue.concurrency, is_paused=is_paused
        )  # fmt: skip

    def _actor(self, request: HttpRequest) -> jobs.Actor:
        return jobs.Actor.of(request.user, address=request.META.get("REMOTE_ADDR", ""))
