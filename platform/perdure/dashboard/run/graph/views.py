"""The Graph tab: the pipeline or the flow that a run follows, with what is under way."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from flows.agents import naming
from flows.pipelines.shown import JOB as PIPELINE
from flows.pipelines.shown import find_definition, jobs_of
from flows.pipelines.spec import Mode
from perdure.dashboard.flow.card import FlowCard, read_flow
from perdure.dashboard.run.drawer import read_drawer
from perdure.dashboard.run.frame import read_frame, show_tab
from perdure.dashboard.run.graph.dag import Box, draw_pipeline
from perdure.dashboard.run.tabs import has_graph
from runs.models import Run


@require_safe
@login_required
@never_cache
def show_graph(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The drawing, and the same as a table; a box leads to what its step did."""
    frame = read_frame(request, run_id, "graph")
    run = frame.run
    if not has_graph(run):
        raise Http404("This run has no graph: it follows neither a pipeline nor an agent flow. Look at its timeline.")
    context = _pipeline(run) if run.job == PIPELINE else _flow(run)
    return show_tab(request, frame, "dashboard/run/graph/graph.html", drawer=read_drawer(request, run), **context)


def _pipeline(run: Run) -> dict[str, Any]:
    definition = find_definition(run)
    if definition is None:
        return {}
    dag = draw_pipeline(definition, jobs_of([run])[0].step_executions)
    for box in dag.boxes:
        _link(run, box)
    return {"dag": dag, "name": definition.title or definition.type}


def _link(run: Run, box: Box) -> None:
    """A step that has begun leads to what it did; one of many shards to the list of them."""
    if box.status and box.step.mode is Mode.SINGLE:
        box.opens, box.href = box.step.id, f"?step={box.step.id}"
    elif box.status:
        box.href = f"{reverse('dashboard:run-steps', args=[run.pk])}?q={box.step.id}%5B"


def _flow(run: Run) -> dict[str, Any]:
    card = read_flow(run)
    if card is None or card.drawing is None or card.flow is None:
        return {}
    return {"flow": card, "name": card.flow.name, "newest": _newest(card)}


def _newest(card: FlowCard) -> list[tuple[int, str, str]]:
    """(iteration, step, the engine's step) of the path, the newest first."""
    path = list(enumerate(card.progress.path, 1))
    return [(number, step, naming.work(number, step, "")) for number, step in reversed(path)]
