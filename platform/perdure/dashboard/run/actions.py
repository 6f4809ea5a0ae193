"""What a person does to a run: a page that says what would happen and asks, and a POST that does it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from perdure.dashboard.access import actor_of, get_run_or_404
from perdure.dashboard.paging import read_text
from perdure.dashboard.run.previews import preview
from perdure.dashboard.run.signal_form import SignalForm
from runs import jobs
from runs.errors import RunsError
from runs.models import Run, RunStatus

MAX_REASON = 200


@dataclass(frozen=True)
class Ask:
    """One action's question; `keep` is what its other button says."""

    name: str
    title: str
    button: str
    keep: str
    tone: str = "primary"
    has_reason: bool = True


ASKS = {
    one.name: one
    for one in (
        Ask("cancel", "Cancel this run?", "Cancel run", "Keep it running", "danger solid"),
        Ask("pause", "Pause this run?", "Pause", "Keep it running"),
        Ask("resume", "Let this run go on?", "Resume", "Leave it paused"),
        Ask("retry", "Retry this run?", "Retry", "Leave it failed"),
        Ask("again", "Start this again?", "Start again", "Back to the run", has_reason=False),
        Ask("delete", "Delete this run?", "Delete run", "Keep it", "danger solid"),
    )
}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def act(request: HttpRequest, run_id: UUID, action: str) -> HttpResponse:
    """Looking at it changes nothing; with `?part` the form alone, for a dialog."""
    run = changeable(request, run_id)
    if request.method != "POST":
        template = "dashboard/run/_ask.html" if "part" in request.GET else "dashboard/run/ask.html"
        said = [one for one in preview(run, action) if one]
        context = {"run": run, "ask": ASKS[action], "preview": said, "in_dialog": "part" in request.GET}
        return render(request, template, context)
    reason = read_text(request.POST, "reason").strip()[:MAX_REASON]
    return _ACTIONS[action](request, run, reason)


def _cancel(request: HttpRequest, run: Run, reason: str) -> HttpResponse:
    carry_out(request, lambda actor: jobs.cancel(run.pk, actor=actor, reason=reason), "The run is cancelled.")
    return redirect("dashboard:run", run.pk)


def _pause(request: HttpRequest, run: Run, reason: str) -> HttpResponse:
    done = "The run is paused." if run.status != RunStatus.RUNNING else "The run pauses when its running steps end."
    carry_out(request, lambda actor: jobs.pause(run.pk, actor=actor, reason=reason), done)
    return redirect("dashboard:run", run.pk)


def _resume(request: HttpRequest, run: Run, reason: str) -> HttpResponse:
    carry_out(request, lambda actor: jobs.resume(run.pk, actor=actor, reason=reason), "The run goes on.")
    return redirect("dashboard:run", run.pk)


def _retry(request: HttpRequest, run: Run, reason: str) -> HttpResponse:
    done = "The run goes on from its failed step."
    carry_out(request, lambda actor: jobs.retry(run.pk, actor=actor, reason=reason), done)
    return redirect("dashboard:run", run.pk)


def _again(request: HttpRequest, run: Run, reason: str) -> HttpResponse:
    made: list[Run] = []

    def start(actor: jobs.Actor) -> None:
        made.append(jobs.retrigger(run.pk, starter=request.user, actor=actor).run)

    carry_out(request, start, "This is the new run.")
    return redirect("dashboard:run", made[0].pk if made else run.pk)


def _delete(request: HttpRequest, run: Run, reason: str) -> HttpResponse:
    done = carry_out(request, lambda actor: jobs.delete(run.pk, actor=actor, reason=reason), "The run is deleted.")
    return redirect("dashboard:run-list") if done else redirect("dashboard:run", run.pk)


_ACTIONS: dict[str, Callable[[HttpRequest, Run, str], HttpResponse]] = {
    "cancel": _cancel, "pause": _pause, "resume": _resume, "retry": _retry, "again": _again, "delete": _delete,
}  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def send_signal(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Send a signal; `?name=` fills its name in, `?part` gives the form alone."""
    run = changeable(request, run_id)
    if request.method != "POST":
        return _show_signal(request, run, SignalForm.fresh(read_text(request.GET, "name")))
    form = SignalForm(request.POST)
    if not form.is_valid():
        return _show_signal(request, run, form, status=400)
    sent = form.cleaned_data
    carry_out(
        request,
        lambda actor: jobs.signal(run.pk, sent["name"], sent["payload"], idempotency_key=form.key, actor=actor),
        f"Signal {sent['name']} is sent.",
    )
    return redirect("dashboard:run", run_id)


def _show_signal(request: HttpRequest, run: Run, form: SignalForm, status: int = 200) -> HttpResponse:
    in_dialog = "part" in request.GET and status == 200
    template = "dashboard/run/_signal_form.html" if in_dialog else "dashboard/run/signal.html"
    context = {"run": run, "signal_form": form, "in_dialog": in_dialog}
    return render(request, template, context, status=status)


def changeable(request: HttpRequest, run_id: UUID) -> Run:
    """Raises Http404, PermissionDenied for who may see it but not change it."""
    run = get_run_or_404(request.user, run_id)
    if not jobs.may_change(request.user, run):
        raise PermissionDenied("You may see this run but not change it. Ask its owner.")
    return run


def carry_out(request: HttpRequest, action: Callable[[jobs.Actor], Any], done: str) -> bool:
    """Whether it worked; a refusal of the engine is shown as it is, since it names the remedy."""
    try:
        action(actor_of(request))
    except RunsError as exc:
        messages.error(request, str(exc))
        return False
    messages.success(request, done)
    return True
