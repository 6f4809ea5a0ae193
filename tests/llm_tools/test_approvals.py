"""A call waits for people; what they leave of the arguments is what runs, and a denial is told to the model."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from hitl import answers, asking
from hitl.errors import InvalidAnswer
from hitl.models import Question
from runs import jobs
from runs.models import Run
from runs.testing import advance
from tests.llm_tools.conftest import Performs, contents, driven, question_of
from tests.llm_tools.jobs import called

MAIL = ("send_mail", {"to": "bob@example.org", "text": "hi"})


def answered(run: Run, by: User, decision: str = "approve", **answer: Any) -> Run:
    question = question_of(run)
    answers.answer(question.id, by, decision, digest=question.digest, **answer)
    return driven(run)


def test_a_call_that_needs_approval_waits_and_is_made_once_approved(performs: Performs, alice: User) -> None:
    run = performs(MAIL)
    assert (run.status, called["send_mail"]) == ("waiting", 0)
    question = question_of(run)
    assert (question.kind, question.title, question.step) == (
        "tool_call", "Call send_mail?", "draft: send_mail#1.1: approval",
    )  # fmt: skip
    assert question.context == {"name": "send_mail", "description": "Send a mail.", "arguments": MAIL[1]}
    assert contents(answered(run, alice)) == ["sent to bob@example.org: hi"]
    assert called["send_mail"] == 1


def test_a_runners_method_is_shown_with_a_slash(performs: Performs, alice: User) -> None:
    run = performs(("mailer___send", {"to": "bob"}))
    question = question_of(run)
    assert question.title == "Call mailer/send?"
    assert question.body.startswith("`mailer/send` waits")
    assert question.context["name"] == "mailer___send"  # as the model knows it
    assert contents(answered(run, alice)) == ["sent to bob"]


def test_edited_arguments_are_what_runs_and_the_model_learns_of_it(performs: Performs, alice: User) -> None:
    run = answered(performs(MAIL), alice, value={"to": "eve@example.org"})
    assert contents(run) == ['[alice changed the arguments to {"to": "eve@example.org"}]\nsent to eve@example.org: ']


def test_the_model_reads_the_beginning_of_long_edits(performs: Performs, alice: User, settings: Any) -> None:
    settings.LLM_TOOL_RESULT_CHARS = 100
    (told,) = contents(answered(performs(MAIL), alice, value={"to": "eve", "text": "x" * 300_000}))
    assert told.startswith('[alice changed the arguments to {"to": "eve", "text": "xxx')
    assert len(told) < 2_500


def test_edited_arguments_must_fit_the_tool(performs: Performs, alice: User) -> None:
    run = performs(("deliver", {"address": {"street": "Main", "number": 500}}))
    for wrong in ({}, {"address": {"street": "Main"}}, {"address": {"street": "Main", "number": 1}, "fast": True}):
        with pytest.raises(InvalidAnswer):
            answered(run, alice, value=wrong)
    run = answered(run, alice, value={"address": {"street": "nowhere", "number": 1}})  # no schema says that
    assert "there is no such street" in contents(run)[0]
    assert called["deliver"] == 0


def test_a_denial_is_told_to_the_model_with_its_comment(performs: Performs, alice: User) -> None:
    run = answered(performs(MAIL), alice, "deny", comment="Not him.")
    assert contents(run) == ["denied by alice: Not him."]
    assert run.output[0]["is_error"]
    assert called["send_mail"] == 0


def test_a_withdrawn_question_is_a_denial(performs: Performs) -> None:
    run = performs(MAIL)
    asking.withdraw(question_of(run).id, reason="asked twice")
    assert contents(driven(run)) == ["The call was not approved: asked twice."]
    assert called["send_mail"] == 0


@pytest.mark.parametrize(
    ("approve", "asked"), [("all", ["look_up", "send_mail"]), ("listed", ["send_mail"]), ("none", [])]
)
def test_the_chat_says_which_calls_are_asked_about(performs: Performs, approve: str, asked: list[str]) -> None:
    run = performs(("look_up", {"word": "a"}), MAIL, approve=approve)
    assert sorted(one.context["name"] for one in Question.objects.filter(run=run)) == asked


@pytest.mark.parametrize(("number", "asks"), [(7, False), (500, True), (13, True)])
def test_a_tool_decides_by_its_arguments_and_asks_when_it_cannot(performs: Performs, number: int, asks: bool) -> None:
    run = performs(("deliver", {"address": {"street": "Main", "number": number}}))
    assert Question.objects.filter(run=run).exists() is asks
    assert run.status == ("waiting" if asks else "completed")


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        ("", "denied: nobody approved it in time"), ("approve", "sent to bob@example.org: hi"),
        ("value", "[the deadline's policy changed the arguments to {\"to\": \"the default\"}]\nsent to the default: "),
    ],
)  # fmt: skip
def test_when_nobody_approves_in_time_the_policy_decides(performs: Performs, ending: str, told: str) -> None:
    run = performs(MAIL, deadline_days=2, ending=ending)
    advance(timedelta(days=3))
    assert contents(driven(run)) == [told]


def test_a_deadline_may_fail_the_run_after_the_other_calls_have_ended(performs: Performs) -> None:
    run = performs(MAIL, ("look_up", {"word": "a"}), deadline_days=2, ending="fail")
    advance(timedelta(days=3))
    run = driven(run)
    assert (run.status, run.error["type"]) == ("failed", "QuestionExpired")
    assert called == {"look_up": 1}


def test_other_calls_of_the_turn_do_not_wait_for_an_approval(performs: Performs, alice: User) -> None:
    run = performs(("look_up", {"word": "a"}), MAIL, MAIL, ("look_up", {"word": "b"}))
    assert called == {"look_up": 2}
    first, second = Question.objects.filter(run=run).order_by("step")
    answers.answer(second.id, alice, "deny", digest=second.digest)
    assert driven(run).status == "waiting"
    answers.answer(first.id, alice, "approve", digest=first.digest)
    told = contents(driven(run))
    assert told[1:3] == ["sent to bob@example.org: hi", "denied by alice"]
    assert called == {"look_up": 2, "send_mail": 1}


def test_nobody_approves_arguments_that_they_did_not_see(performs: Performs, alice: User, team: Any) -> None:
    bob = User.objects.create_user("bob")
    bob.groups.add(team)
    run = performs(MAIL, quorum=2)
    question = question_of(run)
    answers.answer(question.id, alice, "approve", value={"to": "eve@example.org"}, digest=question.digest)
    answers.answer(question.id, bob, "approve", digest=question.digest)
    assert contents(driven(run)) == ["The call was not approved: people approved different arguments."]
    assert called["send_mail"] == 0


def test_a_cancelled_run_calls_nothing_any_more(performs: Performs) -> None:
    run = performs(MAIL)
    jobs.cancel(run.id)
    assert driven(run).status == "cancelled"
    assert Question.objects.get(run=run).shown_status == "withdrawn"
    assert called["send_mail"] == 0
