"""The engine's rows in the admin: to be read, and changed only through the engine's own doors."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from runs import jobs
from runs.errors import RunsError
from runs.models import Attempt, Audit, Checkpoint, Event, Run, Step, Worker

INLINE_ROWS = 50
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
}


def as_json(value: Any) -> SafeString:
    """A value as indented JSON that keeps its line breaks."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return format_html('<pre style="white-space: pre-wrap; overflow-wrap: anywhere">{}</pre>', text)


class ReadOnly:
    """Nobody adds, changes or deletes: only the engine writes these rows."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class OfRun(ReadOnly, TabularInline):  # type: ignore[misc]  # unfold has no types
    """The newest rows of one run; a run may hold many thousands."""

    extra = 0
    tab = True
    show_change_link = True
    verbose_name_plural = ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        try:
            run_id = UUID(request.resolver_match.kwargs["object_id"])  # type: ignore[union-attr]
        except (KeyError, ValueError):
            rows = rows.none()
            return rows
        # A subquery, because the formset filters again, which a sliced query refuses.
        newest = self.model.objects.filter(run_id=run_id).order_by("-pk").values("pk")[:INLINE_ROWS]
        found: QuerySet[Any] = rows.filter(pk__in=newest)
        return found


class StepsOfRun(OfRun):
    model = Step
    verbose_name_plural = f"Steps (newest {INLINE_ROWS})"
    fields = ("name", "kind", "shown_status", "attempts", "started_at", "finished_at")
    readonly_fields = ("shown_status",)

    @display(description="Status", label=STATUS_LABELS)  # type: ignore[untyped-decorator]
    def shown_status(self, step: Step) -> str:
        return step.status


class AttemptsOfRun(OfRun):
    model = Attempt
    verbose_name_plural = f"Attempts (newest {INLINE_ROWS})"
    fields = ("step_name", "number", "outcome", "epoch", "started_at", "ended_at")


class EventsOfRun(OfRun):
    model = Event
    verbose_name_plural = f"Events (newest {INLINE_ROWS})"
    fields = ("sequence", "type", "step", "attempt", "created_at")
    ordering = ("-sequence",)


class EngineAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    """A list that stays fast with many rows."""

    show_full_result_count = False
    list_per_page = 50


class JobFilter(admin.SimpleListFilter):
    """By registered job: reading the distinct names of a million rows would take long."""

    title = "job"
    parameter_name = "job"

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> list[tuple[str, str]]:
        return [(name, name) for name in sorted({job.name for job in jobs.all_jobs()})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        known = {name for name, _ in self.lookup_choices}
        return queryset.filter(job=self.value()) if self.value() in known else queryset


@admin.register(Run)
class RunAdmin(EngineAdmin):
    """Runs of every team. Cancelling needs the permission to change runs, deleting the one to delete them."""

    list_display = ("job", "shown_status", "reason", "owner", "team", "created_at", "started_at", "finished_at")
    list_filter = ("status", JobFilter, "team", "queue", "created_at")
    list_select_related = ("owner", "team")
    search_fields = ("=id", "job", "=idempotency_key")
    ordering = ("-id",)
    actions = ("cancel_runs", "delete_runs")
    inlines = (StepsOfRun, AttemptsOfRun, EventsOfRun)
    fieldsets = (
        (
            None,
            {"fields": ("id", "job", "job_version", "shown_status", "reason", "owner", "team", "progress", "labels")},
        ),
        ("Data", {"fields": ("shown_input", "shown_output", "shown_error"), "classes": ("tab",)}),
        (
            "Times",
            {
                "fields": ("created_at", "run_at", "due_at", "started_at", "claimed_at", "finished_at", "active_ms"),
                "classes": ("tab",),
            },
        ),
        (
            "Engine",
            {
                "fields": (
                    *("queue", "priority", "attempt", "claims", "lease_worker", "lease_token", "inbox", "write_no"),
                    *(
                        "first_sequence",
                        "last_sequence",
                        "idempotency_key",
                        "concurrency_key",
                        "parent",
                        "root",
                        "end_hook",
                    ),
                ),
                "classes": ("tab",),
            },
        ),
    )
    readonly_fields = ("shown_status", "shown_input", "shown_output", "shown_error")

    @display(description="Status", ordering="status", label=STATUS_LABELS)  # type: ignore[untyped-decorator]
    def shown_status(self, run: Run) -> str:
        return run.status

    @admin.display(description="Input")
    def shown_input(self, run: Run) -> SafeString:
        return as_json(jobs.redact(run.input, run.secrets.get("input", [])))

    @admin.display(description="Output")
    def shown_output(self, run: Run) -> SafeString:
        return as_json(jobs.redact(run.output, run.secrets.get("output", [])))

    @admin.display(description="Error")
    def shown_error(self, run: Run) -> SafeString:
        return as_json(run.error)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("runs.change_run"))

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("runs.delete_run"))

    @admin.action(description="Cancel the selected runs", permissions=["cancel"])
    def cancel_runs(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        actor = jobs.Actor.of(request.user)
        self._each(
            request, queryset, lambda run: jobs.cancel(run.pk, actor=actor, reason="by an administrator"), "cancelled"
        )

    @admin.action(description="Delete the selected runs that have ended", permissions=["erase"])
    def delete_runs(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        actor = jobs.Actor.of(request.user)
        self._each(request, queryset, lambda run: jobs.delete(run.pk, actor=actor), "deleted")

    def _each(self, request: HttpRequest, runs: QuerySet[Run], action: Callable[[Run], Any], done: str) -> None:
        """One run that refuses does not keep the others from being done; each refusal is shown."""
        refusals = []
        chosen = list(runs)
        for run in chosen:
            try:
                action(run)
            except RunsError as exc:
                refusals.append(str(exc))
        if count := len(chosen) - len(refusals):
            self.message_user(request, f"{count} {done}.", messages.SUCCESS)
        for refusal in refusals[:10]:
            self.message_user(request, refusal, messages.WARNING)
        if len(refusals) > 10:
            self.message_user(request, f"{len(refusals) - 10} more could not be {done}.", messages.WARNING)


@admin.register(Step)
class StepAdmin(EngineAdmin):
    list_display = ("name", "run", "kind", "shown_status", "attempts", "started_at", "finished_at")
    list_filter = ("status", "kind")
    list_select_related = ("run",)
    search_fields = ("name", "=run__id")
    exclude = ("output", "secrets", "status", "error")
    readonly_fields = ("shown_status", "shown_output", "shown_error")

    @display(description="Status", ordering="status", label=STATUS_LABELS)  # type: ignore[untyped-decorator]
    def shown_status(self, step: Step) -> str:
        return step.status

    @admin.display(description="Output")
    def shown_output(self, step: Step) -> SafeString:
        return as_json(jobs.redact(step.output, step.secrets))

    @admin.display(description="Error")
    def shown_error(self, step: Step) -> SafeString:
        return as_json(step.error)


@admin.register(Attempt)
class AttemptAdmin(EngineAdmin):
    list_display = ("step_name", "number", "run", "shown_outcome", "epoch", "started_at", "ended_at")
    list_filter = ("outcome",)
    list_select_related = ("run",)
    search_fields = ("step_name", "=run__id")

    @display(description="Outcome", ordering="outcome", label=STATUS_LABELS)  # type: ignore[untyped-decorator]
    def shown_outcome(self, attempt: Attempt) -> str:
        return attempt.outcome


@admin.register(Event)
class EventAdmin(EngineAdmin):
    list_display = ("sequence", "type", "run", "step", "attempt", "created_at")
    list_filter = ("type",)
    list_select_related = ("run",)
    search_fields = ("=run__id",)
    ordering = ("-pk",)


@admin.register(Checkpoint)
class CheckpointAdmin(EngineAdmin):
    list_display = ("step_name", "number", "attempt", "run", "size", "created_at")
    list_select_related = ("run",)
    search_fields = ("step_name", "=run__id")
    exclude = ("state", "secrets")
    readonly_fields = ("shown_state",)

    @admin.display(description="State")
    def shown_state(self, checkpoint: Checkpoint) -> SafeString:
        return as_json(jobs.redact(checkpoint.state, checkpoint.secrets))


@admin.register(Worker)
class WorkerAdmin(EngineAdmin):
    list_display = ("host", "pid", "version", "driving", "started_at", "seen_at", "expires_at")
    list_filter = ("host", "version")


@admin.register(Audit)
class AuditAdmin(EngineAdmin):
    list_display = ("at", "action", "target", "actor_kind", "actor_name", "address")
    list_filter = ("action", "actor_kind", "at")
    search_fields = ("=target", "actor_name")
