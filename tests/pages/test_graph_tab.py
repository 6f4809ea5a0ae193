"""The Graph tab: pipelines are drawn without overlaps, and what is under way is marked for a pipeline and a flow."""

import itertools
import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.agents.loader import load
from flows.agents.starting import start as start_flow
from flows.pipelines.spec import PipelineDef, StepDef, StepKind
from flows.pipelines.starting import start
from flows.pipelines.wire import StepExecution
from perdure.dashboard.run.graph.dag import BOX_HEIGHT, BOX_WIDTH, draw_pipeline
from runs.models import Run, Step

SignedIn = Callable[..., Client]
LEADS = st.lists(st.sets(st.integers(0, 30), max_size=4), min_size=1, max_size=14)
FLOW = """
name: plan-and-do
personas: {planner: You plan., coder: You write code.}
steps:
  - name: plan
    persona: planner
    instruction: "Plan {task}"
    rules: [{condition: planned, next: work}]
  - name: work
    persona: coder
    rules: [{condition: done, next: COMPLETE}]
"""


def pipeline(leads: list[set[int]]) -> PipelineDef:
    steps = [
        StepDef(id=f"s{number}", kind=StepKind.MAP, depends_on=[f"s{one}" for one in sorted(before) if one < number])
        for number, before in enumerate(leads)
    ]
    return PipelineDef(type="drawn", version="1", steps=steps)


@settings(max_examples=50)
@given(LEADS)
def test_every_step_stands_below_those_it_depends_on_and_no_box_on_another(leads: list[set[int]]) -> None:
    made = pipeline(leads)
    dag = draw_pipeline(made)
    boxes = {box.step.id: box for box in dag.boxes}
    assert list(boxes) == [step.id for step in made.steps]
    pairs = {(source, step.id) for step in made.steps for source in step.depends_on}
    assert {(line.source, line.target) for line in dag.lines} == pairs
    assert len(dag.lines) == len(pairs)
    assert all(boxes[source].bottom < boxes[target].y for source, target in pairs)
    for one, other in itertools.combinations(dag.boxes, 2):
        assert abs(one.x - other.x) >= BOX_WIDTH or abs(one.y - other.y) >= BOX_HEIGHT
    for box in dag.boxes:
        assert (box.x >= 0, box.y >= 0, box.right <= dag.width, box.bottom <= dag.height) == (True, True, True, True)


@settings(max_examples=30)
@given(LEADS)
def test_a_line_that_passes_a_layer_crosses_none_of_its_boxes(leads: list[set[int]]) -> None:
    dag = draw_pipeline(pipeline(leads))
    for line in dag.lines:
        for x, top, bottom in _uprights(line.path):
            for box in dag.boxes:
                beside = x < box.x or x > box.right
                assert beside or bottom <= box.y or top >= box.bottom


def _uprights(path: str) -> list[tuple[int, int, int]]:
    """(x, top, bottom) of the parts that pass a layer."""
    return [(int(x), int(top), int(bottom)) for x, top, bottom in re.findall(r" (\d+) (\d+)V(\d+)", path)]


def test_states_of_a_run_are_drawn_and_told() -> None:
    states = [
        StepExecution(step_id="s0", name="s0", kind="map", status="success"),
        StepExecution(step_id="s1", name="s1", kind="map", status="running"),
    ]
    dag = draw_pipeline(pipeline([set(), {0}, {1}]), states)
    assert [box.status for box in dag.boxes] == ["completed", "running", ""]
    assert [line.is_passed for line in dag.lines] == [True, False]
    assert (dag.told, dag.current) == ("3 steps: s0 completed, s1 running", ["s1"])


@pytest.fixture
def piped(owner: User, team: Group) -> Run:
    """A run of a pipeline of three steps, in the second."""
    run = start(pipeline([set(), {0}, {0, 1}]), {"sources": []}, owner=owner, team=team).run
    Step.objects.create(run=run, name="s0", kind="run", status="completed")
    Step.objects.create(run=run, name="s1", kind="run", status="running")
    Run.objects.filter(pk=run.pk).update(status="running")
    return run


def test_the_tab_marks_what_is_under_way_and_leads_to_what_a_step_did(
    piped: Run, owner: User, signed_in: SignedIn
) -> None:
    page = signed_in(owner).get(f"/runs/{piped.pk}/graph/").content.decode()
    assert "Now: s1." in page
    assert 'data-node="s1" data-status="running" data-current="now"' in page
    assert '<a href="?step=s0" data-step="s0">' in page
    assert 'data-step="s2"' not in page
    assert "Not begun" in page


def test_a_flows_graph_has_a_tab_too(owner: User, team: Group, signed_in: SignedIn) -> None:
    run = start_flow(load(FLOW), "do it", scenario=[{"content": "[PLAN:1]"}], owner=owner, team=team).run
    Step.objects.create(run=run, name="1. plan", kind="run", status="running")
    page = signed_in(owner).get(f"/runs/{run.pk}/graph/").content.decode()
    assert "Now: plan." in page
    assert '<a href="?step=1.%20plan" data-step="1. plan">plan</a>' in page


def test_only_who_may_see_the_run_and_only_runs_with_a_graph(
    run: Run, piped: Run, owner: User, stranger: User, signed_in: SignedIn
) -> None:
    assert signed_in(owner).get(f"/runs/{run.pk}/graph/").status_code == 404
    assert f"/runs/{run.pk}/graph/" not in signed_in(owner).get(f"/runs/{run.pk}/").content.decode()
    assert signed_in(stranger).get(f"/runs/{piped.pk}/graph/").status_code == 404
    assert Client().get(f"/runs/{piped.pk}/graph/").status_code == 302
