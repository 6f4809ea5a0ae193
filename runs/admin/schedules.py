"""Schedules and presets in the admin: to be read, and what an administrator does to them."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from runs import jobs
from runs.admin.base import EngineAdmin, as_json
from runs.errors import RunsError
from runs.models import Preset, Schedule

STATUSES = {"active": "success", "paused": "warning", "failing": "danger", "over": "default"}


class ManagedAdmin(EngineAdmin):
    """Rows of every team. Acting on them needs the permission to change them, deleting its own."""

    list_select_related = ("owner", "team")
    search_fields = ("=id", "name", "=job")
    list_filter: tuple[str, ...] = ("job", "team")
    exclude: tuple[str, ...] = ("input", "secrets")
    deletes: Callable[..., None]

    def has_act_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(f"runs.change_{self.model._meta.model_name}"))

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(f"runs.delete_{self.model._meta.model_name}"))

    @admin.display(description="Input")
    def shown_input(self, row: Schedule | Preset) -> SafeString:
        return as_json(jobs.redact(row.input, row.secrets))

    @admin.action(description="Delete the selected rows; their runs stay", permissions=["erase"])
    def delete_rows(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self.each(request, queryset, self.deletes, "deleted")

    def each(self, request: HttpRequest, rows: QuerySet[Any], act: Callable[..., Any], done: str) -> None:
        """One that refuses does not keep the others from being done; each refusal is shown."""
        actor = jobs.Actor.of(request.user, address=request.META.get("REMOTE_ADDR", ""))
        count = 0
        for row in rows:
            try:
                act(row.pk, actor=actor)
                count += 1
            except RunsError as exc:
                self.message_user(request, str(exc), messages.WARNING)
        if count:
            self.message_user(request, f"{count} {done}.", messages.SUCCESS)


@admin.register(Schedule)
class ScheduleAdmin(ManagedAdmin):
    list_display = ("name", "job", "shown_status", "cron", "timezone", "next_at", "last_at", "owner", "team")
    list_filter = ("job", "team", "is_paused", "overlap")
    actions = ("pause_schedules", "resume_schedules", "run_now", "delete_rows")
    exclude = ("input", "secrets", "error", "is_paused")
    readonly_fields = ("shown_status", "shown_input", "shown_error", "shown_next")
    deletes = staticmethod(jobs.delete_schedule)

    @display(description="Status", label=STATUSES)  # type: ignore[untyped-decorator]
    def shown_status(self, schedule: Schedule) -> str:
        return schedule.status

    @admin.display(description="Error")
    def shown_error(self, schedule: Schedule) -> SafeString:
        return as_json(schedule.error)

    @admin.display(description="Next five times (UTC)")
    def shown_next(self, schedule: Schedule) -> SafeString:
        try:
            found = jobs.next_times(schedule)
        except RunsError as exc:
            return format_html("{}", str(exc))
        return format_html_join("", "{}<br>", ((f"{at:%Y-%m-%d %H:%M:%S}",) for at in found))

    @admin.action(description="Pause the selected schedules", permissions=["act"])
    def pause_schedules(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        self.each(request, queryset, jobs.pause_schedule, "paused")

    @admin.action(description="Resume the selected schedules", permissions=["act"])
    def resume_schedules(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        self.each(request, queryset, jobs.resume_schedule, "resumed")

    @admin.action(description="Start a run of the selected schedules now", permissions=["act"])
    def run_now(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        self.each(request, queryset, partial(jobs.trigger_schedule, starter=request.user), "started")


@admin.register(Preset)
class PresetAdmin(ManagedAdmin):
    list_display = ("name", "job", "owner", "team", "changed_at")
    actions = ("delete_rows",)
    readonly_fields = ("shown_input",)
    deletes = staticmethod(jobs.delete_preset)
