"""A flow is a run like any other: its agents' answers and judges' words are recorded, and its rules choose the way."""

import pytest

from runs.models import RunStatus, Step
from tests.agents.flow_runs import ended, events

pytestmark = pytest.mark.django_db(transaction=True)

PLAN = """
name: plan-and-do
personas: {planner: You plan., coder: You write code.}
steps:
  - name: plan
    persona: planner
    instruction: "Plan {task}"
    rules:
      - {condition: planned, next: work}
      - {condition: nothing to do, next: COMPLETE}
  - name: work
    persona: coder
    rules:
      - {condition: done, next: COMPLETE}
      - {condition: 'ai("the plan is wrong")', next: plan}
"""


def test_a_flow_goes_from_step_to_step_by_the_tags_of_its_agents() -> None:
    came = ended(PLAN, [{"content": "first this [PLAN:1]"}, {"content": "it is done [work:1]"}])
    assert came.run.status == RunStatus.COMPLETED, came.run.error
    output = came.run.output
    assert (output["status"], output["iterations"], output["path"]) == ("completed", 2, ["plan", "work"])
    assert output["content"] == "it is done [work:1]"
    assert came.path == ["plan", "work"]
    assert came.matched == [("plan", "planned", "tag"), ("work", "done", "tag")]


def test_what_is_sent_is_recorded_before_the_agent_is_asked() -> None:
    came = ended(PLAN, [{"content": "[PLAN:2]"}], "the thing")
    recorded = Step.objects.get(run=came.run, name="1. plan: instruction").output
    assert "Plan the thing" in recorded["instruction"]
    assert set(recorded) == {"system", "instruction"}


def test_a_judge_decides_what_no_tag_says_and_its_words_stand_in_the_transition() -> None:
    scenario = [
        {"content": "[PLAN:1]"},
        {"content": "hm"},
        {"persona": "judge", "content": "[JUDGE:1]"},
        {"content": "[PLAN:2]"},
    ]
    came = ended(PLAN, scenario)
    assert came.run.status == RunStatus.COMPLETED, came.run.error
    assert came.path == ["plan", "work", "plan"]
    told = events(came.run, "flow:transition")
    assert [(one["from"], one["to"], one["method"]) for one in told] == [
        ("plan", "work", "tag"),
        ("work", "plan", "ai_judge"),
        ("plan", "COMPLETE", "tag"),
    ]
    assert told[1]["judge"]["answer"] == "[JUDGE:1]"
    assert "the plan is wrong" in told[1]["judge"]["prompt"]
    assert (told[1]["rule"], told[2]["step_iteration"]) == (2, 2)


def test_a_condition_sees_what_a_parameter_is_where_the_run_gives_none() -> None:
    flow = """
name: by-tone
personas: {writer: You write.}
subflow: {params: {tone: {default: kind}}}
steps:
  - name: write
    persona: writer
    instruction: "Write in the tone {var:tone}."
    rules:
      - {condition: 'when(context.vars.tone == "kind")', next: COMPLETE}
      - {condition: harsh, next: ABORT}
"""
    came = ended(flow, [{"content": "Dear reader"}])
    assert came.matched == [("write", 'when(context.vars.tone == "kind")', "when")]
