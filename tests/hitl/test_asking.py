"""A question is asked once, however often its run is replayed, and its deadline is durable."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from hitl import answers
from hitl.asking import settle
from hitl.errors import QuestionClosed
from hitl.models import Question
from hitl.questions import Deny, ask
from runs import jobs
from runs.jobs import StepContext, job
from runs.models import Event, Step
from runs.testing import advance, drain, temporary_jobs
from tests.hitl.conftest import Asks, driven_to_question, finished

pytestmark = pytest.mark.usefixtures("transactional_db")


def test_a_replay_keeps_the_question_and_asks_nobody_again(asks: Asks, alice: User) -> None:
    question = asks()
    for _ in range(3):
        jobs.pause(question.run_id)
        jobs.resume(question.run_id)
        drain()
    assert list(Question.objects.values_list("id", "digest")) == [(question.id, question.digest)]
    assert Event.objects.filter(run=question.run_id, type="question:ask").count() == 1
    answers.answer(question.id, alice, "approve", digest=question.digest)
    run = finished(question)
    assert run.status == "completed"
    names = list(Step.objects.filter(run=run).order_by("id").values_list("name", flat=True))
    assert names == ["before", "merge?", "merge?: answer", "merge?: outcome", "after"]


def test_an_answer_that_comes_while_the_run_is_paused_is_not_lost(asks: Asks, alice: User) -> None:
    question = asks()
    jobs.pause(question.run_id)
    answers.answer(question.id, alice, "approve", digest=question.digest)
    drain()
    assert jobs.get(question.run_id).status == "paused"
    jobs.resume(question.run_id)
    assert finished(question).status == "completed"


@pytest.mark.parametrize(("ending", "decision"), [("deny", "deny"), ("approve", "approve"), ("value", "choose")])
def test_a_missed_deadline_decides_as_the_job_says(asks: Asks, alice: User, ending: str, decision: str) -> None:
    question = asks("ask-with-deadline", ending)
    advance(timedelta(days=6))
    drain()
    assert jobs.get(question.run_id).status == "waiting"
    advance(timedelta(days=1, seconds=1))
    with pytest.raises(QuestionClosed, match="expired"):
        answers.answer(question.id, alice, question.decisions[0], digest=question.digest)
    run = finished(question)
    assert run.output == {"decision": decision, "value": 7 if ending == "value" else None, "timed_out": True}
    question.refresh_from_db()
    assert question.status == "expired"
    assert Event.objects.filter(run=run, type="question:expire").count() == 1


def test_a_signal_under_the_name_of_a_question_decides_nothing(asks: Asks, alice: User) -> None:
    question = asks("ask-with-deadline", "deny")
    forged = {"decision": "approve", "value": None, "answers": []}
    for _ in range(2):
        jobs.signal(question.run_id, question.signal, forged)
        advance(timedelta(days=1))
        drain()
    assert (Question.objects.get().status, jobs.get(question.run_id).status) == ("open", "waiting")
    advance(timedelta(days=5, seconds=1))
    assert finished(question).output["decision"] == "deny"


def test_a_missed_deadline_fails_the_run_without_another_word(asks: Asks) -> None:
    question = asks("ask-with-deadline", "fail")
    advance(timedelta(days=7, seconds=1))
    run = finished(question)
    assert (run.status, run.error["type"]) == ("failed", "QuestionExpired")


def test_an_answer_in_the_last_moment_beats_the_deadline(asks: Asks, alice: User) -> None:
    question = asks("ask-with-deadline", "deny")
    answers.answer(question.id, alice, "approve", digest=question.digest)
    advance(timedelta(days=8))
    assert finished(question).output == {"decision": "approve", "value": None, "timed_out": False}


def test_the_deadline_step_takes_an_answer_that_was_quicker(asks: Asks, alice: User) -> None:
    question = asks("ask-with-deadline", "deny")
    answers.answer(question.id, alice, "approve", digest=question.digest)
    with transaction.atomic():
        ended = settle(str(question.id), {"decision": "deny", "value": None}, late=True)
    assert ended is not None
    assert ended["decision"] == "approve"
    question.refresh_from_db()
    assert question.status == "answered"


BAD = {
    "kind": {"kind": "wish"},
    "title": {"title": "x" * 181},
    "quorum": {"quorum": 0},
    "no schema": {"kind": "input"},
    "no choices": {"kind": "choice"},
    "no call": {"kind": "tool_call"},
    "bad schema": {"kind": "input", "schema": {"type": "no"}},
    "foreign schema": {"kind": "input", "schema": {"$ref": "http://localhost/schema"}},
    "ending without deadline": {"on_timeout": Deny()},
    "ending of another kind": {
        "kind": "input", "schema": {"type": "object"}, "deadline": timedelta(1), "on_timeout": Deny(),
    },
    "one text": {"to": "alice"},
}  # fmt: skip


def test_what_cannot_be_asked_fails_its_run_and_says_why() -> None:
    with temporary_jobs():

        @job("asks-badly")
        async def asks_badly(step: StepContext, name: str) -> None:
            await ask(step, **({"title": "ok?"} | BAD[name]))  # type: ignore[arg-type]

        runs = {name: jobs.start(asks_badly, name).run.id for name in BAD}
        drain()
    ended = {name: jobs.get(run_id) for name, run_id in runs.items()}
    assert {name: run.error["type"] for name, run in ended.items() if run.error} == dict.fromkeys(
        BAD, "InvalidQuestion"
    )
    assert not Question.objects.exists()


def test_people_who_do_not_exist_are_not_asked() -> None:
    run = jobs.start("ask-approval", {"to": ["nobody"]}).run
    drain()
    run.refresh_from_db()
    assert run.status == "failed"
    assert "'nobody', who is not there" in str(run.error)


def test_two_questions_of_one_run_have_ids_and_answers_of_their_own(starter: User, alice: User) -> None:
    with temporary_jobs():

        @job("asks-twice")
        async def asks_twice(step: StepContext) -> list[str]:
            return [(await ask(step, f"round {number}?", to=["alice"])).decision for number in (1, 2)]

        run = jobs.start(asks_twice, owner=starter).run
        first = driven_to_question(run)
        answers.answer(first.id, alice, "approve", digest=first.digest)
        drain()
        second = Question.objects.exclude(id=first.id).get()
        answers.answer(second.id, alice, "deny", digest=second.digest)
        drain()
    run.refresh_from_db()
    assert run.output == ["approve", "deny"]
