"""A fork of a flow's run goes on from a step with other answers of agents, and with its judges' words as they were."""

import pytest

from runs import jobs
from runs.errors import InvalidOption
from runs.models import Run, RunStatus, Step
from runs.testing import run_to_end
from tests.agents.flow_runs import Came, begin, came

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


@pytest.fixture
def undisturbed() -> Came:
    return came(run_to_end(begin(TEXT, SCENARIO)))


def test_a_fork_with_another_answer_goes_on_from_there(undisturbed: Came) -> None:
    assert undisturbed.path == ["plan", "reviews", "plan"]
    answer = Step.objects.get(run=undisturbed.run, name="2. reviews / style").output
    other = answer | {"message": answer["message"] | {"content": "worse [style:2]"}}
    fork = jobs.fork(undisturbed.run.id, "2. reviews: loop judge", outputs={"2. reviews / style": other})
    told = came(run_to_end(fork))
    assert told.run.status == RunStatus.COMPLETED, told.run.error
    assert told.path == ["plan", "reviews", "plan"]
    assert "worse [style:2]" in Step.objects.get(run=fork, name="3. plan: instruction").output["instruction"]


def test_a_fork_forges_no_word_of_a_judge_and_no_definition(undisturbed: Came) -> None:
    run: Run = undisturbed.run
    for name in ("1. plan: label judge", "2. reviews / safety: label judge", "read the definition"):
        output = Step.objects.get(run=run, name=name).output
        with pytest.raises(InvalidOption, match="decided"):
            jobs.fork(run.id, "3. plan", outputs={name: output})
