"""A worker that dies in any step of a flow: nothing that was recorded is asked again, and the way is the same."""

import pytest

from runs import jobs
from runs.errors import InvalidOption
from runs.events.types import EventType
from runs.models import Event, Run, RunStatus, Step
from runs.testing import crash_after, drain, run_to_end
from tests.agents.flow_runs import Came, begin, came, events

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = """
name: f
loop_monitors:
  - {cycle: [plan, reviews], threshold: 1, judge: {rules: [{condition: it helps, next: plan}]}}
steps:
  - {name: plan, agent: You do it., rules: [{condition: planned, next: reviews}, {condition: all said, next: COMPLETE}]}
  - name: reviews
    parallel:
      - {name: style, agent: You do it., rules: [{condition: approved}, {condition: needs_fix}]}
      - {name: safety, agent: You do it., rules: [{condition: approved}, {condition: needs_fix}]}
    rules:
      - {condition: 'all("approved")', next: COMPLETE}
      - {condition: 'any("needs_fix")', next: plan}
"""
SCENARIO = [
    {"persona": "plan", "content": "a plan"}, {"persona": "judge", "content": "[JUDGE:1]"},
    {"persona": "style", "content": "[style:1]"}, {"persona": "safety", "content": "hm"},
    {"persona": "judge", "content": "[JUDGE:2]"}, {"persona": "judge", "content": "[JUDGE:1]"},
    {"persona": "plan", "content": "better [plan:2]"},
]  # fmt: skip
STEPS = [
    "read the definition", "1. plan: instruction", "1. plan", "1. plan: label judge",
    "2. reviews / style: instruction", "2. reviews / style", "2. reviews / safety: label judge",
    "2. reviews: loop judge", "3. plan",
]  # fmt: skip
DIES_IN = {"1. plan", "1. plan: label judge", "2. reviews / style", "2. reviews: loop judge"}


def way_of(told: Came) -> tuple[object, ...]:
    return told.path, told.matched, events(told.run, "flow:transition"), events(told.run, "flow:loop")


@pytest.fixture
def undisturbed() -> Came:
    return came(run_to_end(begin(TEXT, SCENARIO)))


def test_a_worker_may_die_after_each_step_and_in_each(undisturbed: Came) -> None:
    assert undisturbed.run.status == RunStatus.COMPLETED, undisturbed.run.error
    assert undisturbed.path == ["plan", "reviews", "plan"]
    run = begin(TEXT, SCENARIO)
    for at in STEPS:
        for before_record in (True, False) if at in DIES_IN else (False,):
            with crash_after(at, run=run, before_record=before_record):
                drain()
    told = came(run_to_end(run))
    assert way_of(told) == way_of(undisturbed)
    ended: set[str | None] = set()
    for step, type_ in Event.objects.filter(run=run).order_by("sequence").values_list("step", "type"):
        assert not (type_ == EventType.STEP_START and step in ended), f"{step} was begun again after its end"
        ended |= {step} if type_ == EventType.STEP_COMPLETE else set()
    assert ended >= set(STEPS)


def test_a_fork_with_another_answer_goes_on_from_there(undisturbed: Came) -> None:
    fork = jobs.fork(undisturbed.run.id, "3. plan")
    told = came(run_to_end(fork))
    assert told.run.status == RunStatus.COMPLETED, told.run.error
    assert told.path == ["plan", "reviews", "plan"]


def test_a_fork_forges_no_word_of_a_judge_and_no_definition(undisturbed: Came) -> None:
    run: Run = undisturbed.run
    for name in ("1. plan: label judge", "2. reviews / safety: label judge", "read the definition"):
        output = Step.objects.get(run=run, name=name).output
        with pytest.raises(InvalidOption, match="decided"):
            jobs.fork(run.id, "3. plan", outputs={name: output})
