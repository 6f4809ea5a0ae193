"""A flow asks people where it is blocked, at its limit, where a rule wants them, and in steps that are theirs."""

import pytest

from hitl.answers import withdraw
from hitl.models import Question
from runs import jobs
from runs.models import Run, RunStatus, Step
from runs.testing import run_to_end
from tests.agents.flow_runs import Came, begin, came, events, open_question, say
from tests.pipelines.people import member

pytestmark = pytest.mark.django_db(transaction=True)

WORK = "name: f\nsteps:\n  - {name: work, agent: You do it., rules: [{condition: done, next: COMPLETE}]}\n"
LOOP = (
    "name: f\nmax_steps: 2\nsteps:\n"
    "  - {name: a, agent: You do it., rules: [{condition: again, next: a}, {condition: done, next: COMPLETE}]}\n"
)
ASK = """
name: f
steps:
  - {name: plan, agent: You do it., rules: [{condition: planned, next: review}]}
  - name: review
    ask: {title: "Is this right for {task}?", body: "{previous_response}"}
    rules:
      - {condition: approved, next: COMPLETE}
      - {condition: denied, next: plan}
"""


def finished(run: Run) -> Came:
    return came(run_to_end(run))


def refuse(run: Run) -> Question:
    question = open_question(run)
    withdraw(question.id, member("ann", "team"))
    return question


def test_a_blocked_step_asks_for_what_it_needs_and_runs_again_with_the_answer() -> None:
    scenario = [{"status": "blocked", "content": "I looked.\n質問: which one?\n"}, {"content": "[work:1]"}]
    run = begin(WORK, scenario)
    question = say(run, "submit", {"answer": "the second"})
    assert (question.body, question.step) == ("which one?", "1. work: blocked")
    told = finished(run)
    assert told.run.status == RunStatus.COMPLETED, told.run.error
    assert told.path == ["work", "work"]
    assert events(run, "flow:blocked") == [{"step": "work", "prompt": "which one?", "answered": True, "by": "people"}]
    assert "the second" in Step.objects.get(run=run, name="2. work: instruction").output["instruction"]


def test_a_blocked_step_that_nobody_helps_aborts_and_a_retry_asks_again() -> None:
    run = begin(WORK, [{"status": "blocked", "content": "what now"}, {"content": "[work:1]"}])
    refuse(run)
    told = finished(run)
    assert (told.told["kind"], told.told["reason"]) == ("blocked", "Workflow blocked and no user input provided")
    assert told.run.error["type"] == "FlowAborted"
    assert told.run.error["message"].startswith("Workflow blocked and no user input provided")
    jobs.retry(run.id)
    assert say(run, "submit", {"answer": "go on"}).step == "1. work: blocked again #1"
    told = finished(run)
    assert told.run.status == RunStatus.COMPLETED, told.run.error
    assert told.told["kind"] is None


def test_at_its_limit_a_flow_asks_for_more_and_goes_on_with_as_many_as_it_gets() -> None:
    run = begin(LOOP, [{"content": "[a:1]"}, {"content": "[a:1]"}, {"content": "[a:1]"}, {"content": "[a:2]"}])
    assert say(run, "approve", {"more": 1}).step == "3. a: limit"
    say(run, "approve", {"more": 5})
    told = finished(run)
    assert told.run.status == RunStatus.COMPLETED, told.run.error
    assert told.path == ["a"] * 4
    assert events(run, "flow:limit") == [
        {"iteration": 2, "max": 2, "granted": 1},
        {"iteration": 3, "max": 3, "granted": 5},
    ]


def test_a_limit_that_is_kept_aborts_and_a_retry_asks_again() -> None:
    run = begin(LOOP, [{"content": "[a:1]"}, {"content": "[a:1]"}, {"content": "[a:2]"}])
    say(run, "deny")
    told = finished(run)
    assert (told.told["kind"], told.told["reason"]) == ("iteration_limit", "Max iterations reached")
    assert told.path == ["a", "a"]
    jobs.retry(run.id)
    assert say(run, "approve", {"more": 1}).step == "3. a: limit again #1"
    assert finished(run).run.status == RunStatus.COMPLETED


def test_a_step_of_a_person_goes_where_their_decision_says() -> None:
    run = begin(ASK, [{"content": "v1 [plan:1]"}, {"content": "v2 [plan:1]"}], "us")
    question = say(run, "deny")
    assert (question.title, question.body, question.step) == ("Is this right for us?", "v1 [plan:1]", "2. review")
    say(run, "approve")
    told = finished(run)
    assert told.run.status == RunStatus.COMPLETED, told.run.error
    assert told.path == ["plan", "review", "plan", "review"]
    assert [one for one in told.matched if one[0] == "review"] == [
        ("review", "denied", "return"),
        ("review", "approved", "return"),
    ]


def test_a_question_of_a_person_that_is_withdrawn_ends_the_run() -> None:
    run = begin(ASK, [{"content": "[plan:1]"}])
    refuse(run)
    told = finished(run)
    assert (told.told["kind"], told.told["reason"]) == ("user_input_cancelled", "User input cancelled")
    jobs.retry(run.id)
    say(run, "approve")
    assert finished(run).run.status == RunStatus.COMPLETED


def test_a_rule_that_wants_a_word_of_people_has_its_step_done_again_with_it() -> None:
    text = (
        "name: f\nsteps:\n  - name: a\n    agent: You do it.\n    rules:\n"
        "      - {condition: unclear, next: a, requires_user_input: true}\n      - {condition: done, next: COMPLETE}\n"
    )
    run = begin(text, [{"content": "unclear [a:1]"}, {"content": "[a:2]"}])
    assert say(run, "submit", {"answer": "like this"}).step == "1. a: user input"
    told = finished(run)
    assert told.run.status == RunStatus.COMPLETED, told.run.error
    assert told.path == ["a", "a"]
    assert "like this" in Step.objects.get(run=run, name="2. a: instruction").output["instruction"]
