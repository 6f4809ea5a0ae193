from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from perdure.dashboard import rendering
from perdure.dashboard.access import get_run_or_404
from perdure.dashboard.around import read_around
from perdure.dashboard.artifact_card import read_artifacts
from perdure.dashboard.budget_card import read_budget
from perdure.dashboard.flow_card import read_flow, tell_form
from perdure.dashboard.flow_step import read_flow_step
from perdure.dashboard.paging import read_text
from perdure.dashboard.run_page import EVENTS_SHOWN, read_run_page
from perdure.dashboard.signal_form import SignalForm
from runs.events.log import read_events
from runs.jobs import may_change, redact


@require_safe
@login_required
@never_cache
def show_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """One run: what it does, its steps, its log, its result; its script goes on from there.

    With `?summary` without the rows that the script has already: it reads this after a change of status.
    """
    run = get_run_or_404(request.user, run_id)
    whole = "summary" not in request.GET
    around = read_around(request.user, run)
    flow = read_flow(run)
    context = {
        "around": around,
        "artifacts": read_artifacts(run),
        "budget": read_budget(request.user, run),
        "signal_form": SignalForm.fresh(around.signals[0] if around.signals else ""),
        "flow": flow,
        "tell_form": tell_form(flow),
        "page": read_run_page(run, with_events=whole),
        "run": run,
        "may_change": may_change(request.user, run),
        "whole": whole,
        "step_address": f"{reverse('dashboard:run-step', args=[run.pk])}?name=",
    }
    return render(request, "dashboard/run.html", context)


@require_safe
@login_required
@never_cache
def show_log(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The run's events after `?after=`, a page at a time."""
    run = get_run_or_404(request.user, run_id)
    after = request.GET.get("after", "0")
    if not after.isdecimal() or len(after) > 18:
        raise BadRequest("'after' is not the number of an event. Give a number from 0 up.")
    start = max(int(after), run.first_sequence - 1)
    events = read_events(run.pk, after=start, limit=EVENTS_SHOWN)
    more = bool(events) and (events[-1].sequence or 0) < run.last_sequence
    return render(request, "dashboard/run_log.html", {"run": run, "events": events, "more": more, "after": start})


@require_safe
@login_required
@never_cache
def show_step(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """One step with its result, attempts and checkpoints; only the inner part for the run page's script."""
    run = get_run_or_404(request.user, run_id)
    step = run.steps.filter(name=read_text(request.GET, "name")).first()
    if step is None:
        raise Http404("This run has no such step. Open the run and choose one of its steps.")
    output = redact(step.output, step.secrets)
    checkpoints = list(run.checkpoints.filter(step_name=step.name).order_by("number"))
    for checkpoint in checkpoints:
        checkpoint.state = redact(checkpoint.state, checkpoint.secrets)
    context = {
        "run": run,
        "step": step,
        "output": output,
        "texts": rendering.texts_in(output),
        "flow_step": read_flow_step(run, step.name),
        "attempts": run.attempts.filter(step_name=step.name).order_by("number"),
        "checkpoints": checkpoints,
    }
    template = "dashboard/_step_detail.html" if "part" in request.GET else "dashboard/step.html"
    return render(request, template, context)
