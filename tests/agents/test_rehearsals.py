"""A flow is rehearsed: run to its end in this process, by a scenario, and with texts for all that it asks people."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from flows.agents.loader import load
from flows.agents.rehearsal.answering import UnfitAnswer, decide
from flows.agents.rehearsal.rehearse import Rehearsed, rehearse
from hitl.models import Kind, Question

in_database = pytest.mark.django_db(transaction=True)

WORK = """
name: f
max_steps: 2
steps:
  - name: work
    agent: You work.
    rules: [{condition: done, next: COMPLETE}, {condition: more, next: work}]
"""
PEOPLE = """
name: f
steps:
  - name: choose
    ask: {kind: choice, title: Which, choices: [left, right], to: ["group:leads", ann], quorum: 2}
    rules: [{condition: left, next: say}, {condition: right, next: ABORT}]
  - name: say
    ask: {kind: input, title: What}
  - name: allow
    ask: May it?
    rules: [{condition: approved, next: COMPLETE}, {condition: denied, next: ABORT}]
"""


def came(text: str, scenario: list[dict[str, Any]] | None = None, *answers: str) -> Rehearsed:
    return rehearse(load(text), "do it", answers=answers, others={}, scenario=scenario or [])


@in_database
def test_it_tells_its_path_and_how_each_rule_matched():
    blocked = {"status": "blocked", "content": "which one?"}
    assert came(WORK, [{"content": "[work:2]"}, blocked], "the second").told == {
        "status": "aborted", "reason": "iteration_limit", "iterations": 2, "path": ["work", "work"],
        "matched": [{"step": "work", "condition": "more", "method": "tag"}],
    }  # fmt: skip
    ended = came(WORK, [{"content": "[work:2]"}, blocked, {"content": "[WORK:1]"}], "the second", "3")
    assert (ended.status, ended.reason, ended.iterations, ended.message) == ("completed", None, 3, "")


@in_database
@pytest.mark.parametrize(
    ("scenario", "reason", "message"),
    [
        ([{"status": "blocked", "content": "?"}], "blocked", "Workflow blocked and no user input provided"),
        ([{"status": "error", "error": "Disk full"}], "step_error", 'Step "work" failed: Disk full.'),
        ([], "step_error", "The scenario has no unused entry for 'work'"),
    ],
)
def test_it_tells_why_a_flow_was_aborted(scenario: list[dict[str, Any]], reason: str, message: str):
    ended = came(WORK, scenario)
    assert (ended.status, ended.reason, ended.path) == ("aborted", reason, ["work"])
    assert message in ended.message


@in_database
def test_everybody_that_a_flow_asks_is_there_and_one_text_answers_for_all_of_them():
    ended = came(PEOPLE, None, "left", "blue", "yes")
    assert (ended.status, ended.path) == ("completed", ["choose", "say", "allow"])
    assert User.objects.filter(username="ann").exists()
    assert Group.objects.filter(name="leads").exists()
    assert came(PEOPLE, None, "left").reason == "user_input_cancelled"


@in_database
def test_an_answer_that_does_not_fit_is_said_with_what_would():
    with pytest.raises(UnfitAnswer, match=r"^The answer 'up' does not fit 'Which': it takes one of left, right\.$"):
        came(PEOPLE, None, "up")


MORE = {"type": "object", "properties": {"more": {"type": "integer", "minimum": 1}}, "required": ["more"]}
SAID = {"type": "object", "properties": {"answer": {"type": "string", "minLength": 1}}, "required": ["answer"]}
FORM = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["a"]}


@pytest.mark.parametrize(
    ("question", "text", "decided"),
    [
        (Question(kind=Kind.APPROVAL), " Approve ", ("approve", None)),
        (Question(kind=Kind.TOOL_CALL), "deny", ("deny", None)),
        (Question(kind=Kind.LIMIT, schema=MORE), "3", ("approve", {"more": 3})),
        (Question(kind=Kind.LIMIT, schema=MORE), "yes", ("approve", None)),
        (Question(kind=Kind.LIMIT, schema=MORE), "no", ("deny", None)),
        (Question(kind=Kind.CHOICE, choices=["left", 2]), "2", ("choose", 2)),
        (Question(kind=Kind.INPUT, schema=SAID), "42", ("submit", {"answer": "42"})),
        (Question(kind=Kind.INPUT, schema=SAID), "no", ("submit", {"answer": "no"})),
        (Question(kind=Kind.INPUT, schema=FORM), '{"a": 1}', ("submit", {"a": 1})),
        (Question(kind=Kind.INPUT, schema={"type": "boolean"}), "true", ("submit", True)),
    ],
)
def test_a_text_answers_what_is_asked(question: Question, text: str, decided: tuple[str, Any]):
    assert decide(question, text) == decided


@pytest.mark.parametrize(
    ("question", "text", "wanted"),
    [
        (Question(kind=Kind.APPROVAL), "perhaps", "it takes approve or deny."),
        (Question(kind=Kind.LIMIT, schema=MORE), "0", "0 is less than the minimum of 1"),
        (Question(kind=Kind.CHOICE, choices=["left", 2]), "3", "it takes one of left, 2."),
        (Question(kind=Kind.INPUT, schema=FORM), "[" * 100_000, "it takes a value of its schema"),
    ],
)
def test_a_text_that_answers_nothing_is_refused(question: Question, text: str, wanted: str):
    with pytest.raises(UnfitAnswer) as refused:
        decide(question, text)
    assert wanted in str(refused.value)
    assert len(str(refused.value)) < 1000
