"""A step may call another flow, whose run spends the same budget of steps and ends with a label."""

import pytest

from flows.agents import registry
from flows.agents.registry import Work, flow_function
from runs.models import Run, RunStatus, Step
from runs.testing import drain, run_to_end
from tests.agents.flow_runs import begin, came, ended, say

pytestmark = pytest.mark.django_db(transaction=True)

CHILD = """
name: polish
max_steps: 5
subflow: {callable: true, params: {tone: {}}, returns: [good, bad]}
steps:
  - name: rub
    agent: You do it.
    instruction: "Make {task} {var:tone}"
    rules: [{condition: more, next: rub}, {condition: shiny, return: good}, {condition: hopeless, return: bad}]
"""
PARENT = """
name: make
max_steps: 3
steps:
  - {name: draft, agent: You do it., rules: [{condition: drafted, next: polish}]}
  - name: polish
    call: polish
    with: {task: "what {task} gave", tone: calm}
    rules: [{condition: good, next: COMPLETE}, {condition: bad, next: draft}]
"""


def test_a_called_flow_is_a_run_of_its_own_that_returns_a_label() -> None:
    scenario = [{"content": "[draft:1]"}, {"content": "[rub:3]"}, {"content": "[draft:1]"}, {"content": "[rub:2]"}]
    run = begin(PARENT.replace("max_steps: 3", "max_steps: 9"), scenario, "clay", CHILD)
    told = came(run_to_end(run))
    say_so = Run.objects.filter(parent=run).order_by("created_at")
    assert told.run.status == RunStatus.COMPLETED, told.run.error
    assert told.path == ["draft", "polish", "draft", "polish"]
    assert told.matched[1::2] == [("polish", "bad", "return"), ("polish", "good", "return")]
    assert [child.labels["flow"] for child in say_so] == ["polish", "polish"]
    instruction = Step.objects.get(run=say_so[0], name="1. rub: instruction").output["instruction"]
    assert "Make what clay gave calm" in instruction
    assert told.run.output["shared"]["spent"] == 4


def test_a_called_flow_has_what_is_left_of_the_limit_and_what_it_is_granted_counts_above_too() -> None:
    scenario = [{"content": "[draft:1]"}, *[{"content": "[rub:1]"}] * 3, {"content": "[rub:2]"}]
    run = begin(PARENT, scenario, "clay", CHILD)
    child = _child(run)
    assert say(child, "approve", {"more": 2}).step == "3. rub: limit"
    told = came(run_to_end(run))
    assert told.run.status == RunStatus.COMPLETED, told.run.error
    assert told.run.output["shared"] == {"spent": 5, "granted": 0, "scenario": []}


def test_a_called_flow_that_fails_fails_its_step() -> None:
    told = ended(PARENT, [{"content": "[draft:1]"}, {"status": "error", "error": "down"}], "clay", CHILD)
    assert told.told["kind"] == "step_error"
    assert told.told["reason"].startswith('Step "polish" failed: Step "rub" failed: ')


def test_a_function_gets_what_came_before_and_what_it_gives_decides() -> None:
    text = """
name: f
steps:
  - {name: a, agent: You do it., rules: [{condition: go, next: count}]}
  - name: count
    function: count-words
    with: {least: "3"}
    rules:
      - {condition: 'when(context.steps.count.output.words >= 3)', next: COMPLETE}
      - {condition: 'when(structured.count.words < 3)', next: a}
"""

    @flow_function("count-words")
    def count_words(work: Work) -> dict[str, object]:
        return {"words": len(work.previous.split()), "least": work.arguments["least"]}

    try:
        told = ended(text, [{"content": "one [a:1]"}, {"content": "one two [a:1]"}])
    finally:
        registry.forget_function("count-words")
    assert told.run.status == RunStatus.COMPLETED, told.run.error
    assert told.path == ["a", "count", "a", "count"]
    assert told.matched[1][2] == "when"
    assert told.run.output["structured"] == {"words": 3, "least": "3"}


def _child(run: Run) -> Run:
    drain()
    return Run.objects.get(parent=run)
