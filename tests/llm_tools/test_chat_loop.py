"""A chat and its tools, turn by turn: what the model is told, and what a crash does not repeat."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from flows.llm.chat import chat
from flows.llm.models import ProviderProfile
from hitl import answers
from hitl.models import Question
from runs import clock, jobs
from runs.jobs import StepContext, SyncStepContext, job
from runs.models import Event, Run
from runs.testing import crash_after, drain, temporary_jobs
from tests.llm_tools.conftest import driven, question_of
from tests.llm_tools.jobs import called, look_up, send_mail

Scripts = Callable[..., None]

TWO_TURNS = [
    {"turn": 1, "tool_calls": [{"name": "look_up", "arguments": {"word": "bob"}}]},
    {"turn": 2, "tool_calls": [{"name": "send_mail", "arguments": {"to": "bob"}}]},
    {"turn": 3, "text": "Told: {{tool_result}}"},
]


@pytest.fixture
def scripts(transactional_db: None) -> Any:
    """Says how the scripted provider answers; jobs of a test are gone after it."""

    def make(rules: list[dict[str, Any]]) -> None:
        values = {"kind": "scripted", "extra": {"scenario": {"rules": rules}}, "updated_at": clock.now()}
        ProviderProfile.objects.update_or_create(id="default", defaults=values)

    with temporary_jobs():
        yield make


def talking(**options: Any) -> None:
    @job("talk")
    async def talk(step: StepContext) -> dict[str, Any]:
        answer = await chat(step, "draft", "Tell Bob", tools=[look_up, send_mail], **options)
        told = [[one.text, one.is_error] for one in answer.messages if one.role == "tool"]
        return {"text": answer.text, "turns": answer.turns, "told": told}


def started(team: Group) -> Run:
    run = jobs.start("talk", {}, team=team).run
    drain()
    return jobs.get(run.id)


def decided(run: Run, by: User, decision: str = "approve", **answer: Any) -> Run:
    question = question_of(run)
    answers.answer(question.id, by, decision, digest=question.digest, **answer)
    return driven(run)


def test_the_model_is_told_what_its_tools_gave_until_it_answers(scripts: Scripts, team: Group, alice: User) -> None:
    scripts(TWO_TURNS)
    talking()
    run = decided(started(team), alice)
    assert run.status == "completed", run.error
    assert (run.output["text"], run.output["turns"]) == ("Told: sent to bob: ", 3)
    assert called == {"look_up": 1, "send_mail": 1}


@pytest.mark.parametrize(
    ("decision", "answer", "told"),
    [
        ("approve", {"value": {"to": "eve"}}, ['[alice changed the arguments to {"to": "eve"}]\nsent to eve: ', False]),
        ("deny", {"comment": "Not him."}, ["denied by alice: Not him.", True]),
    ],
)
def test_what_people_decided_reaches_the_model(
    scripts: Scripts, team: Group, alice: User, decision: str, answer: dict[str, Any], told: list[Any]
) -> None:
    scripts(TWO_TURNS)
    talking()
    run = decided(started(team), alice, decision, **answer)
    assert run.output["told"][1] == told
    assert run.output["text"] == f"Told: {told[0]}"


def test_a_crash_after_any_turn_repeats_neither_model_nor_tools(scripts: Scripts, team: Group, alice: User) -> None:
    scripts(TWO_TURNS)
    talking()
    for name in ("draft", "draft: look_up#1.1", "draft: send_mail#2.1"):
        called.clear()
        with crash_after(name):
            run = started(team)
            if run.status == "waiting":
                decided(run, alice)
        if (run := driven(run)).status == "waiting":
            run = decided(run, alice)
        assert run.output["text"] == "Told: sent to bob: ", (name, run.status, run.error)
        assert called == {"look_up": 1, "send_mail": 1}, name
        model_calls = Event.objects.filter(run=run, type="step:start", step__in=["draft", "draft #2", "draft #3"])
        assert model_calls.count() == 3, name
        assert Question.objects.filter(run=run).count() == 1


def test_turns_are_limited_and_the_last_ones_tools_are_not_called(scripts: Scripts, team: Group) -> None:
    scripts([{"turn": n, "tool_calls": [{"name": "look_up", "arguments": {"word": str(n)}}]} for n in range(1, 9)])
    talking(max_turns=3)
    run = started(team)
    assert (run.status, run.error["type"]) == ("failed", "TooManyTurns")
    assert "Raise max_turns" in run.error["message"]
    assert called == {"look_up": 2}


def test_a_model_corrects_a_call_that_was_wrong(scripts: Scripts, team: Group) -> None:
    scripts(
        [
            {"turn": 1, "tool_calls": [{"name": "look_down", "arguments": {}}, {"name": "look_up", "arguments": {}}]},
            {"turn": 2, "tool_calls": [{"name": "look_up", "arguments": {"word": "a"}}]},
            {"turn": 3, "text": "{{tool_result}}"},
        ]
    )
    talking()
    run = started(team)
    assert [is_error for _, is_error in run.output["told"]] == [True, True, False]
    assert "There is no tool 'look_down'" in run.output["told"][0][0]
    assert '"word":"a"' in run.output["text"]


def test_a_plain_jobs_chat_calls_tools_and_asks_people(scripts: Scripts, team: Group, alice: User) -> None:
    scripts(TWO_TURNS)

    @job("talk")
    def talk(step: SyncStepContext) -> str:
        return chat(step, "draft", "Tell Bob", tools=[look_up, send_mail]).text

    assert decided(started(team), alice).output == "Told: sent to bob: "
    assert called == {"look_up": 1, "send_mail": 1}


def test_what_does_not_fit_is_refused_before_a_model_is_asked(scripts: Scripts, team: Group) -> None:
    scripts(TWO_TURNS)
    talking(approve="some")
    run = started(team)
    assert (run.status, run.error["type"]) == ("failed", "InvalidOption")
    assert not run.steps.exists()
