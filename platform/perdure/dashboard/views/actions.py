"""What a person does to a run: a page that asks, and a POST that does it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from perdure.dashboard.access import get_run_or_404
from perdure.dashboard.paging import read_text
from perdure.dashboard.signal_form import SignalForm
from runs import jobs
from runs.errors import RunsError
from runs.models import Run, RunStatus

MAX_REASON = 200


@require_http_methods(["GET", "POST"])
@login_required
def cancel_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Cancel with an optional reason."""
    run = _changeable(request, run_id)
    if request.method == "GET":
        return render(request, "dashboard/confirm.html", {"run": run, "action": "cancel"})
    reason = request.POST.get("reason", "").replace("\0", "").strip()[:MAX_REASON]
    _act(request, lambda actor: jobs.cancel(run.pk, actor=actor, reason=reason), "The run is cancelled.")
    return redirect("dashboard:run", run_id)


@require_POST
@login_required
def resume_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Let a paused run go on."""
    run = _changeable(request, run_id)
    _act(request, lambda actor: jobs.resume(run.pk, actor=actor), "The run goes on.")
    return redirect("dashboard:run", run_id)


@require_POST
@login_required
def pause_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Hold a run at its next step boundary."""
    run = _changeable(request, run_id)
    done = "The run is paused." if run.status != RunStatus.RUNNING else "The run pauses when its running steps end."
    _act(request, lambda actor: jobs.pause(run.pk, actor=actor), done)
    return redirect("dashboard:run", run_id)


@require_POST
@login_required
def retry_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Let a failed run go on from the step that failed it."""
    run = _changeable(request, run_id)
    _act(request, lambda actor: jobs.retry(run.pk, actor=actor), "The run goes on from its failed step.")
    return redirect("dashboard:run", run_id)


@require_POST
@login_required
def retrigger_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Start the same again as a new run, and show that one."""
    run = _changeable(request, run_id)
    made: list[Run] = []
    _act(
        request,
        lambda actor: made.append(jobs.retrigger(run.pk, starter=request.user, actor=actor).run),
        "This is the new run.",
    )
    return redirect("dashboard:run", made[0].pk if made else run_id)


@require_http_methods(["GET", "POST"])
@login_required
@never_cache
def send_signal(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Send a signal; the page holds the form for browsers without scripts, and for what has to be corrected."""
    run = _changeable(request, run_id)
    if request.method == "GET":
        return _show_signal(request, run, SignalForm.fresh(read_text(request.GET, "name")))
    form = SignalForm(request.POST)
    if not form.is_valid():
        return _show_signal(request, run, form, status=400)
    sent = form.cleaned_data
    _act(
        request,
        lambda actor: jobs.signal(run.pk, sent["name"], sent["payload"], idempotency_key=form.key, actor=actor),
        f"Signal {sent['name']} is sent.",
    )
    return redirect("dashboard:run", run_id)


def _show_signal(request: HttpRequest, run: Run, form: SignalForm, status: int = 200) -> HttpResponse:
    return render(request, "dashboard/signal.html", {"run": run, "signal_form": form}, status=status)


@require_http_methods(["GET", "POST"])
@login_required
def delete_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Delete an ended run with everything recorded of it."""
    run = _changeable(request, run_id)
    if request.method == "GET":
        return render(request, "dashboard/confirm.html", {"run": run, "action": "delete"})
    done = _act(request, lambda actor: jobs.delete(run.pk, actor=actor), "The run is deleted.")
    return redirect("dashboard:run-list") if done else redirect("dashboard:run", run_id)


def _changeable(request: HttpRequest, run_id: UUID) -> Run:
    run = get_run_or_404(request.user, run_id)
    if not jobs.may_change(request.user, run):
        raise PermissionDenied("You may see this run but not change it. Ask its owner.")
    return run


def _act(request: HttpRequest, action: Callable[[jobs.Actor], Any], done: str) -> bool:
    """Whether it worked; a refusal of the engine is shown as it is, since it names the remedy."""
    try:
        action(jobs.Actor.of(request.user))
    except RunsError as exc:
        messages.error(request, str(exc))
        return False
    messages.success(request, done)
    return True
