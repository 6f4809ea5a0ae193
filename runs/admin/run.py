"""Runs in the admin, and what an administrator does to them."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from runs import jobs
from runs.admin.base import STATUS_LABELS, EngineAdmin, as_json
from runs.admin.filters import JobFilter, TroubleFilter
from runs.admin.invariants import invariants_page
from runs.admin.of_run import ArtifactsOfRun, AttemptsOfRun, EventsOfRun, SignalsOfRun, StepsOfRun
from runs.admin.reasons import read_reason
from runs.errors import RunsError
from runs.maintenance.asking import Asked, sentence
from runs.models import Run, State


@admin.register(Run)
class RunAdmin(EngineAdmin):
    """Runs of every team. Pausing, retrying and cancelling need the permission to change runs, deleting its own."""

    list_display = ("job", "shown_status", "reason", "owner", "team", "created_at", "started_at", "finished_at")
    list_filter = (TroubleFilter, "status", JobFilter, "team", "queue", "created_at")
    list_select_related = ("owner", "team")
    search_fields = ("=id", "job", "=idempotency_key")
    ordering = ("-id",)
    actions = ("pause_runs", "retry_runs", "move_runs", "cancel_runs", "delete_runs")
    actions_list = ("clean_up", "check_invariants")
    inlines = (StepsOfRun, AttemptsOfRun, ArtifactsOfRun, SignalsOfRun, EventsOfRun)
    fieldsets = (
        (
            None,
            {"fields": ("id", "job", "job_version", "shown_status", "reason", "owner", "team", "progress", "labels")},
        ),
        ("Data", {"fields": ("shown_input", "shown_output", "shown_error", "shown_state"), "classes": ("tab",)}),
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
                        "pruned_at",
                        "idempotency_key",
                        "concurrency_key",
                        "parent",
                        "root",
                        "forked_from",
                        "forked_step",
                        "budget_of",
                        "end_hook",
                    ),
                ),
                "classes": ("tab",),
            },
        ),
    )
    readonly_fields = ("shown_status", "shown_input", "shown_output", "shown_error", "shown_state")

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

    @admin.display(description="State")
    def shown_state(self, run: Run) -> SafeString:
        kept = State.objects.filter(run=run).first()
        return as_json(kept.value if kept else {})

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("runs.change_run"))

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("runs.delete_run"))

    @admin.action(description="Pause the selected runs", permissions=["cancel"])
    def pause_runs(self, request: HttpRequest, queryset: QuerySet[Run]) -> HttpResponse | None:
        return self._each_for_a_reason(request, queryset, jobs.pause, "Pause", "paused")

    @admin.action(description="Retry the selected runs that failed", permissions=["cancel"])
    def retry_runs(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        actor = jobs.Actor.of(request.user)
        self._each(request, queryset, lambda run: jobs.retry(run.pk, actor=actor), "retried")

    @admin.action(description="Move the selected runs to their job's newest version", permissions=["cancel"])
    def move_runs(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        actor = jobs.Actor.of(request.user)
        self._each(
            request,
            queryset,
            lambda run: jobs.move_version(run.pk, jobs.get_job(run.job).version, actor=actor),
            "moved",
        )

    @admin.action(description="Cancel the selected runs", permissions=["cancel"])
    def cancel_runs(self, request: HttpRequest, queryset: QuerySet[Run]) -> HttpResponse | None:
        return self._each_for_a_reason(request, queryset, jobs.cancel, "Cancel", "cancelled")

    @admin.action(description="Delete the selected runs that have ended", permissions=["erase"])
    def delete_runs(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        actor = jobs.Actor.of(request.user)
        self._each(request, queryset, lambda run: jobs.delete(run.pk, actor=actor), "deleted")

    @action(description="Clean up", url_path="clean-up", permissions=["erase"])  # type: ignore[untyped-decorator]
    def clean_up(self, request: HttpRequest) -> HttpResponse:
        """A page that shows what is old enough to go, and then removes it."""
        asked, shown = Asked.of(request.POST.dict()), None
        try:
            shown = asked.carry_out(jobs.Actor.of(request.user, address=request.META.get("REMOTE_ADDR", "")))
        except RunsError as exc:
            self.message_user(request, str(exc), messages.ERROR)
        if shown is not None and not shown.dry_run:
            self.message_user(request, sentence(shown), messages.SUCCESS)
            return redirect("admin:runs_run_changelist")
        context = {**self.admin_site.each_context(request), "title": "Clean up", "asked": asked, "shown": shown}
        return render(request, "admin/runs/clean_up.html", context)

    def has_check_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perms(["runs.view_run", "runs.check_invariants"]))

    @action(  # type: ignore[untyped-decorator]
        description="Check the invariants", url_path="invariants", permissions=["check"]
    )
    def check_invariants(self, request: HttpRequest) -> HttpResponse:
        return invariants_page(self.admin_site, request)

    def _each_for_a_reason(
        self, request: HttpRequest, runs: QuerySet[Run], action: Callable[..., Any], verb: str, done: str
    ) -> HttpResponse | None:
        reason = read_reason(self, request, runs, verb)
        if not isinstance(reason, str):
            return reason
        actor = jobs.Actor.of(request.user, address=request.META.get("REMOTE_ADDR", ""))
        self._each(request, runs, lambda run: action(run.pk, actor=actor, reason=reason), done)
        return None

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
