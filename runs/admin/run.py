"""Runs in the admin, and what an administrator does to them."""

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from runs import jobs
from runs.admin.acting import RunActions
from runs.admin.base import STATUS_LABELS, EngineAdmin, as_error, as_json, lease_in_words, moment
from runs.admin.filters import InvariantFilter, JobFilter, TroubleFilter
from runs.admin.invariants import invariants_page
from runs.admin.of_run import ArtifactsOfRun, AttemptsOfRun, EventsOfRun, SignalsOfRun, StepsOfRun
from runs.errors import RunsError
from runs.maintenance.asking import Asked, sentence
from runs.maintenance.reasons import in_words
from runs.models import Run, State, Worker


@admin.register(Run)
class RunAdmin(RunActions, EngineAdmin):
    """Runs of every team. Pausing, retrying and cancelling need the permission to change runs, deleting its own."""

    list_display = ("job", "shown_status", "shown_reason", "owner", "team", "created", "began", "ended")
    list_filter = (TroubleFilter, "status", JobFilter, "team", "queue", "created_at", InvariantFilter)
    list_select_related = ("owner", "team")
    search_fields = ("=id", "job", "=idempotency_key")
    ordering = ("-id",)
    actions = ("pause_runs", "resume_runs", "retry_runs", "move_runs", "cancel_runs", "delete_runs")
    change_form_outer_before_template = "admin/runs/what_to_do.html"
    actions_list = ("clean_up", "check_invariants")
    inlines = (StepsOfRun, AttemptsOfRun, ArtifactsOfRun, SignalsOfRun, EventsOfRun)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "id",
                    "job",
                    "job_version",
                    "shown_status",
                    "shown_reason",
                    "owner",
                    "team",
                    "progress",
                    "labels",
                )
            },
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
                    *("queue", "priority", "attempt", "claims", "shown_lease", "lease_token", "inbox", "write_no"),
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
    readonly_fields = (
        "shown_progress",
        "shown_labels",
        "shown_status",
        "shown_reason",
        "shown_lease",
        "shown_input",
        "shown_output",
        "shown_error",
        "shown_state",
    )

    @display(description="Status", ordering="status", label=STATUS_LABELS)  # type: ignore[untyped-decorator]
    def shown_status(self, run: Run) -> str:
        return run.status

    @admin.display(description="Why", ordering="reason")
    def shown_reason(self, run: Run) -> str:
        return in_words(run.reason) or "-"

    @admin.display(description="Progress")
    def shown_progress(self, run: Run) -> str:
        told = run.progress or {}
        number = (
            f"{told['current']:g} of {told['total']:g}" if told.get("current") is not None and told.get("total") else ""
        )
        return ", ".join(part for part in (number, told.get("message") or "") if part) or "-"

    @admin.display(description="Labels")
    def shown_labels(self, run: Run) -> str:
        return ", ".join(f"{name}: {value}" for name, value in run.labels.items()) or "-"

    @admin.display(description="Created", ordering="created_at")
    def created(self, run: Run) -> SafeString | str:
        return moment(run.created_at)

    @admin.display(description="Started", ordering="started_at")
    def began(self, run: Run) -> SafeString | str:
        return moment(run.started_at)

    @admin.display(description="Ended", ordering="finished_at")
    def ended(self, run: Run) -> SafeString | str:
        return moment(run.finished_at)

    @admin.display(description="Lease")
    def shown_lease(self, run: Run) -> SafeString | str:
        """Which process drives it, and whether that is alive."""
        if run.lease_worker is None:
            return "-"
        worker = Worker.objects.filter(pk=run.lease_worker).first()
        if worker is None:
            return f"{run.lease_worker}, whose process is gone"
        link = reverse("admin:runs_worker_change", args=[worker.pk])
        return format_html('<a href="{}">{}</a>, {}', link, worker, lease_in_words(worker))

    @admin.display(description="Input")
    def shown_input(self, run: Run) -> SafeString:
        return as_json(jobs.redact(run.input, run.secrets.get("input", [])))

    @admin.display(description="Output")
    def shown_output(self, run: Run) -> SafeString:
        return as_json(jobs.redact(run.output, run.secrets.get("output", [])))

    @admin.display(description="Error")
    def shown_error(self, run: Run) -> SafeString | str:
        return as_error(run.error)

    @admin.display(description="State")
    def shown_state(self, run: Run) -> SafeString:
        kept = State.objects.filter(run=run).first()
        return as_json(kept.value if kept else {})

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
        context = self.admin_site.each_context(request) | {
            "title": "Clean up",
            "asked": asked,
            "shown": shown,
            "names": sorted({job.name for job in jobs.all_jobs()}),
        }
        return render(request, "admin/runs/clean_up.html", context)

    def has_check_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perms(["runs.view_run", "runs.check_invariants"]))

    @action(  # type: ignore[untyped-decorator]
        description="Check the invariants", url_path="invariants", permissions=["check"]
    )
    def check_invariants(self, request: HttpRequest) -> HttpResponse:
        return invariants_page(self.admin_site, request)
