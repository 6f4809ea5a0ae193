"""What an administrator does to runs: to those chosen in the list, or to one on its page."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from runs import jobs
from runs.admin.reasons import read_reason
from runs.errors import RunsError
from runs.models import Run, RunStatus

_GOES_ON = ("pause_runs", "cancel_runs")
OFFERED: dict[str, tuple[str, ...]] = {
    RunStatus.QUEUED: (*_GOES_ON, "move_runs"),
    RunStatus.RUNNING: _GOES_ON,
    RunStatus.WAITING: (*_GOES_ON, "move_runs"),
    RunStatus.PAUSED: ("resume_runs", "move_runs", "cancel_runs"),
    RunStatus.FAILED: ("retry_runs", "delete_runs"),
    RunStatus.COMPLETED: ("delete_runs",),
    RunStatus.CANCELLED: ("delete_runs",),
}
"""What makes sense of a run on its page, by its status."""
BUTTONS = {
    "pause_runs": "Pause", "resume_runs": "Resume", "retry_runs": "Retry", "move_runs": "Move to the newest version",
    "cancel_runs": "Cancel", "delete_runs": "Delete",
}  # fmt: skip


class RunActions:
    """A part of the admin of runs."""

    if TYPE_CHECKING:
        message_user: Callable[..., None]
        get_actions: Callable[[HttpRequest], dict[str, Any]]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With what the one who looks may do to this run; the list's actions do it."""
        may, status = self.get_actions(request), _status(object_id)
        offered = [(name, BUTTONS[name]) for name in OFFERED.get(status, ()) if name in may]
        shown = super().change_view(request, object_id, form_url, (extra_context or {}) | {"offered": offered})  # type: ignore[misc]
        return shown  # type: ignore[no-any-return]

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("runs.change_run"))

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("runs.delete_run"))

    @admin.action(description="Pause the selected runs", permissions=["cancel"])
    def pause_runs(self, request: HttpRequest, queryset: QuerySet[Run]) -> HttpResponse | None:
        return self._each_for_a_reason(request, queryset, jobs.pause, "Pause", "paused")

    @admin.action(description="Resume the selected runs that are paused", permissions=["cancel"])
    def resume_runs(self, request: HttpRequest, queryset: QuerySet[Run]) -> HttpResponse | None:
        return self._each_for_a_reason(request, queryset, jobs.resume, "Resume", "resumed")

    @admin.action(description="Retry the selected runs that failed", permissions=["cancel"])
    def retry_runs(self, request: HttpRequest, queryset: QuerySet[Run]) -> HttpResponse | None:
        return self._each_for_a_reason(request, queryset, jobs.retry, "Retry", "retried")

    @admin.action(description="Move the selected runs to their job's newest version", permissions=["cancel"])
    def move_runs(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        actor = jobs.Actor.of(request.user, address=request.META.get("REMOTE_ADDR", ""))
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
    def delete_runs(self, request: HttpRequest, queryset: QuerySet[Run]) -> HttpResponse | None:
        return self._each_for_a_reason(request, queryset, jobs.delete, "Delete", "deleted")

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


def _status(object_id: str) -> str:
    """Empty for what is no run."""
    try:
        return str(Run.objects.values_list("status", flat=True).filter(pk=UUID(object_id)).first() or "")
    except ValueError:
        return ""
