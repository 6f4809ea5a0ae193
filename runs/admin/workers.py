"""Worker processes and their leases in the admin."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from runs import clock, jobs
from runs.admin.base import EngineAdmin, lease_in_words, moment
from runs.maintenance.fleet import forget_workers
from runs.models import Worker


class LeaseFilter(admin.SimpleListFilter):
    title = "lease"
    parameter_name = "lease"

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> list[tuple[str, str]]:
        return [("alive", "Alive"), ("gone", "Gone")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Worker]) -> QuerySet[Worker]:
        now = clock.now()
        match self.value():
            case "alive":
                return queryset.filter(expires_at__gt=now)
            case "gone":
                return queryset.filter(expires_at__lte=now)
        return queryset


@admin.register(Worker)
class WorkerAdmin(EngineAdmin):
    """Nobody ends a process here: its lease says whether it lives, and what it drove goes on elsewhere by itself."""

    list_display = ("process", "shown_state", "lease", "version", "serves", "driving", "started", "seen")
    list_filter = (LeaseFilter, "host", "version")
    search_fields = ("host", "=pid")
    ordering = ("-expires_at",)
    actions = ("forget_gone",)
    fields = (
        "id", "process", "shown_state", "lease", "version", "serves", "driving", "shown_jobs", "started_at", "seen_at",
        "host_id",
    )  # fmt: skip
    readonly_fields = ("process", "shown_state", "lease", "serves", "driving", "shown_jobs")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Worker]:
        return Worker.objects.with_driving()

    @admin.display(description="Process", ordering="host")
    def process(self, worker: Worker) -> str:
        return str(worker)

    @display(description="State", ordering="expires_at", label={"alive": "success", "gone": "danger"})  # type: ignore[untyped-decorator]
    def shown_state(self, worker: Worker) -> str:
        return "alive" if worker.expires_at > clock.now() else "gone"

    @admin.display(description="Lease", ordering="expires_at")
    def lease(self, worker: Worker) -> str:
        return lease_in_words(worker).split(" ", 1)[1]

    @admin.display(description="Serves")
    def serves(self, worker: Worker) -> str:
        return ", ".join(worker.queues) or "all queues"

    @admin.display(description="Drives", ordering="driving")
    def driving(self, worker: Worker) -> SafeString | str:
        """Leads to the runs in its name, where they can be paused or cancelled."""
        count = int(worker.driving)  # type: ignore[attr-defined]
        link = reverse("admin:runs_run_changelist", query={"lease_worker": str(worker.pk)})
        return format_html('<a href="{}">{} run{}</a>', link, count, "" if count == 1 else "s") if count else "nothing"

    @admin.display(description="Jobs")
    def shown_jobs(self, worker: Worker) -> str:
        return ", ".join(f"{name} {version}" for name, version in worker.jobs) or "-"

    @admin.display(description="Started", ordering="started_at")
    def started(self, worker: Worker) -> SafeString | str:
        return moment(worker.started_at)

    @admin.display(description="Seen", ordering="seen_at")
    def seen(self, worker: Worker) -> SafeString | str:
        return moment(worker.seen_at)

    def has_forget_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("runs.delete_worker"))

    @admin.action(description="Forget the selected workers that are gone", permissions=["forget"])
    def forget_gone(self, request: HttpRequest, queryset: QuerySet[Worker]) -> None:
        actor = jobs.Actor.of(request.user, address=request.META.get("REMOTE_ADDR", ""))
        chosen = list(queryset.values_list("pk", flat=True))
        count = forget_workers(chosen, actor)
        if count:
            self.message_user(request, f"{count} forgotten. What they drove goes on elsewhere.", messages.SUCCESS)
        if alive := len(chosen) - count:
            said = f"{alive} kept, since their leases hold. End a process on its host; its runs go on elsewhere."
            self.message_user(request, said, messages.WARNING)
