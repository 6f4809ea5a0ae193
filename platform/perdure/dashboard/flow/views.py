"""What a person does to a running agent flow: lets it go on, tells its agents something, looks step by step."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from flows.agents import interventions
from perdure.dashboard.access import get_run_or_404
from perdure.dashboard.flow.card import TellForm, read_flow
from perdure.dashboard.paging import read_text
from runs.errors import RunsError
from runs.jobs import Actor, may_change
from runs.models import Run


@require_POST
@login_required
def let_go_on(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """One step, or to the end."""
    run = _flow_run(request, run_id)
    modes: dict[str, interventions.Mode] = {"step": "step", "run": "run"}
    mode = modes.get(read_text(request.POST, "mode"))
    if mode is None:
        raise BadRequest("'mode' is neither 'step' nor 'run'. Use the buttons of the run's page.")
    _act(request, lambda actor: interventions.let_go_on(run, mode, actor=actor), "The flow goes on.")
    return redirect("dashboard:run", run_id)


@require_POST
@login_required
def set_stepping(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Switch single-step mode on or off."""
    run = _flow_run(request, run_id)
    on = read_text(request.POST, "on") == "yes"
    done = "The flow waits after each step." if on else "The flow does not wait after its steps any more."
    _act(request, lambda actor: interventions.set_single_step(run, on, actor=actor), done)
    return redirect("dashboard:run", run_id)


@require_POST
@login_required
def tell_flow(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """A message to the agents."""
    run = _flow_run(request, run_id)
    form = TellForm(request.POST)
    if not form.is_valid():
        context = {"run": run, "tell_form": form, "flow": read_flow(run), "may_change": True}
        return render(request, "dashboard/flow/flow_tell.html", context, status=400)
    said = form.cleaned_data
    _act(
        request,
        lambda actor: interventions.tell(
            run, said["text"], said["policy"] or None, actor=actor, idempotency_key=form.key
        ),
        "The message is sent.",
    )
    return redirect("dashboard:run", run_id)


def _flow_run(request: HttpRequest, run_id: UUID) -> Run:
    run = get_run_or_404(request.user, run_id)
    if run.job != interventions.JOB or not may_change(request.user, run):
        raise Http404("There is no such run of an agent flow. Look in the list of runs.")
    return run


def _act(request: HttpRequest, action: Callable[[Actor], Any], done: str) -> None:
    try:
        action(Actor.of(request.user))
    except RunsError as exc:
        messages.error(request, str(exc))
    else:
        messages.success(request, done)
