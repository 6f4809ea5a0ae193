"""An answer counts once, if it is given by who may, for what was shown."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.db import connections

from hitl import answers
from hitl.asking import revise, withdraw
from hitl.errors import (
    AlreadyAnswered,
    InvalidAnswer,
    MayNotAnswer,
    QuestionChanged,
    QuestionClosed,
    QuestionNotFound,
)
from hitl.models import Answer, Question
from hitl.people import inbox, visible_questions, who_may_answer
from runs import jobs
from runs.errors import RunAlreadyEnded
from runs.models import Audit, Event, Signal
from tests.hitl.conftest import Asks, Put, finished, person


def types_of(question: Question) -> list[str]:
    found = Event.objects.filter(run=question.run_id, type__startswith="question:").order_by("sequence")
    return [event.type for event in found]


def test_a_run_waits_without_a_worker_and_goes_on_with_the_answer(asks: Asks, alice: User) -> None:
    question = asks()
    assert (question.run.lease_worker, question.status, question.kind) == (None, "open", "approval")
    done = answers.answer(question.id, alice, "approve", comment="fine", digest=question.digest)
    assert (done.status, done.outcome["decision"]) == ("answered", "approve")
    run = finished(question)
    assert (run.status, run.output["after"], run.output["by"]) == ("completed", "approve", ["alice"])
    assert types_of(question) == ["question:ask", "question:answer"]
    note = Audit.objects.get(action="question.answer")
    assert (note.actor_name, note.target) == ("alice", str(run.id))
    assert (note.data["digest"], note.data["decision"]) == (question.digest, "approve")


def test_fifty_at_once_make_exactly_two_answers(asks: Asks, team: Group) -> None:
    crowd = [person(f"person-{number}", team) for number in range(50)]
    question = asks(quorum=2)
    start = threading.Barrier(10)

    def press(user: User) -> str:
        if user in crowd[:10]:
            start.wait(60)
        try:
            answers.answer(question.id, user, "approve", digest=question.digest)
        except QuestionClosed as exc:
            return " and ".join(exc.by)
        else:
            return "counted"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as threads:
        results = Counter(threads.map(press, crowd))
    by = list(Answer.objects.order_by("id").values_list("by_name", flat=True))
    assert results == {"counted": 2, " and ".join(by): 48}
    assert Signal.objects.filter(run=question.run_id).count() == 1
    run = finished(question)
    assert (run.status, run.output["by"]) == ("completed", by)
    assert types_of(question) == ["question:ask", "question:answer", "question:answer"]
    assert Event.objects.filter(run=run, type="signal:consume").count() == 1


def test_one_denial_of_a_quorum_denies(asks: Asks, alice: User, bob: User) -> None:
    question = asks(quorum=2)
    answers.answer(question.id, alice, "deny", digest=question.digest)
    assert answers.answer(question.id, bob, "approve", digest=question.digest).outcome["decision"] == "deny"
    assert finished(question).output["after"] == "deny"


def test_one_person_counts_once(put: Put, alice: User) -> None:
    question = put(quorum=2)
    answers.answer(question.id, alice, "approve", digest=question.digest, idempotency_key="k")
    answers.answer(question.id, alice, "approve", digest=question.digest, idempotency_key="k")
    with pytest.raises(InvalidAnswer, match="used for another"):
        answers.answer(question.id, alice, "deny", digest=question.digest, idempotency_key="k")
    with pytest.raises(AlreadyAnswered):
        answers.answer(question.id, alice, "approve", digest=question.digest)
    assert (Answer.objects.count(), Audit.objects.filter(action="question.answer").count()) == (1, 1)


def test_a_repeated_request_is_answered_as_before_also_when_it_is_closed(put: Put, alice: User, bob: User) -> None:
    question = put()
    for _ in range(2):
        done = answers.answer(question.id, alice, "approve", digest=question.digest, idempotency_key="k")
        assert done.status == "answered"
    with pytest.raises(QuestionClosed, match="answered by alice"):
        answers.answer(question.id, bob, "approve", digest=question.digest)


@pytest.mark.parametrize("who", ["anonymous", "stranger", "starter", "inactive"])
def test_who_may_not_answer_changes_nothing(who: str, put: Put, starter: User, mallory: User, alice: User) -> None:
    question = put()
    alice.is_active = False
    alice.save()
    user: Any = {"anonymous": AnonymousUser(), "stranger": mallory, "starter": starter, "inactive": alice}[who]
    expected = MayNotAnswer if who == "starter" else QuestionNotFound
    for act in (
        lambda: answers.answer(question.id, user, "approve", digest=question.digest),
        lambda: answers.delegate(question.id, user, "alice"),
    ):
        with pytest.raises(expected):
            act()
    assert question.id not in inbox(user).values_list("id", flat=True)
    assert visible_questions(user).exists() == (who == "starter")
    assert types_of(question) == ["question:ask"]
    assert not Answer.objects.exists()


def test_only_those_whom_it_is_put_to_answer(put: Put, alice: User, bob: User, mallory: User) -> None:
    question = put(to=["alice", "group:others"])
    with pytest.raises(MayNotAnswer, match="put to others"):
        answers.answer(question.id, bob, "approve", digest=question.digest)
    assert [inbox(user).count() for user in (alice, bob, mallory)] == [1, 0, 1]
    answers.answer(question.id, mallory, "approve", digest=question.digest)
    assert [inbox(user).count() for user in (alice, bob, mallory)] == [0, 0, 0]


def test_the_starter_answers_where_that_is_allowed(asks: Asks, starter: User) -> None:
    question = asks(starter_may_answer=True)
    assert inbox(starter).count() == 1
    answers.answer(question.id, starter, "approve", digest=question.digest)
    assert finished(question).status == "completed"


def test_an_administrator_answers_anything_but_their_own(put: Put, root: User) -> None:
    question = put()
    assert inbox(root).count() == 1
    assert answers.answer(question.id, root, "deny", digest=question.digest).status == "answered"


def test_an_answer_to_what_was_replaced_is_refused(asks: Asks, alice: User, bob: User) -> None:
    question = asks(quorum=2)
    answers.answer(question.id, bob, "approve", digest=question.digest)
    revised = revise(question.id, body="Merge it **and deploy**?")
    assert revised.digest != question.digest
    with pytest.raises(QuestionChanged) as caught:
        answers.answer(question.id, alice, "approve", digest=question.digest)
    assert caught.value.details == {"digest": revised.digest}
    answers.answer(question.id, alice, "approve", digest=revised.digest)
    assert Question.objects.get().status == "open"  # bob approved something else
    assert answers.answer(question.id, bob, "approve", digest=revised.digest).status == "answered"
    assert finished(question).output["by"] == ["alice", "bob"]


@pytest.mark.parametrize(
    ("decision", "value", "comment"),
    [("submit", None, ""), ("approve", 1, ""), ("deny", 1, ""), ("approve", None, "\0")],
)
def test_an_answer_that_does_not_fit_changes_nothing(
    put: Put, alice: User, decision: str, value: Any, comment: str
) -> None:
    question = put()
    with pytest.raises(InvalidAnswer):
        answers.answer(question.id, alice, decision, value, comment, digest=question.digest)
    assert not Answer.objects.exists()


def test_a_value_is_checked_against_the_schema_and_reaches_the_job_typed(asks: Asks, alice: User) -> None:
    question = asks("ask-budget", {})
    for bad in (None, {}, {"amount": 0}, {"amount": "many"}):
        with pytest.raises(InvalidAnswer) as caught:
            answers.answer(question.id, alice, "submit", bad, digest=question.digest)
        assert caught.value.fields[0]["field"].startswith("value")
    answers.answer(question.id, alice, "submit", {"amount": 20}, digest=question.digest)
    assert finished(question).output == {"amount": 20, "reason": ""}


def test_of_choices_the_most_named_is_taken(asks: Asks, alice: User, bob: User, root: User) -> None:
    question = asks(kind="choice", choices=["red", "green", 1], quorum=3)
    with pytest.raises(InvalidAnswer, match="none of the choices"):
        answers.answer(question.id, alice, "choose", True, digest=question.digest)
    for user, value in ((alice, "red"), (bob, "green"), (root, "green")):
        answers.answer(question.id, user, "choose", value, digest=question.digest)
    assert finished(question).output["value"] == "green"


def test_editing_a_tool_call_records_the_difference(asks: Asks, alice: User) -> None:
    question = asks(kind="tool_call", context={"name": "delete", "arguments": {"path": "/", "force": True}})
    answers.answer(question.id, alice, "approve", {"path": "/tmp", "force": True}, digest=question.digest)
    assert Answer.objects.get().changes == [{"op": "replace", "path": "/path", "value": "/tmp"}]
    assert finished(question).output["value"] == {"path": "/tmp", "force": True}


def test_a_delegate_answers_in_place_of_who_delegated(put: Put, alice: User, bob: User, mallory: User) -> None:
    question = put(to=["alice"])
    for nobody in ("sara", "who"):
        with pytest.raises(InvalidAnswer):
            answers.delegate(question.id, alice, nobody)
    answers.delegate(question.id, alice, "mallory")
    assert [inbox(user).count() for user in (alice, mallory)] == [0, 1]
    with pytest.raises(MayNotAnswer):
        answers.answer(question.id, alice, "approve", digest=question.digest)
    answers.answer(question.id, mallory, "approve", digest=question.digest)
    assert types_of(question) == ["question:ask", "question:delegate", "question:answer"]
    assert Audit.objects.filter(action="question.delegate", actor_name="alice").exists()


@pytest.mark.parametrize("to", [(), ("group:night shift",), ("alice", "group:night shift")])
def test_a_member_of_a_group_who_delegates_does_not_answer_as_well(
    put: Put, alice: User, bob: User, mallory: User, to: tuple[str, ...]
) -> None:
    question = put(to=to, quorum=2)
    answers.delegate(question.id, alice, "mallory")
    assert [inbox(user).count() for user in (alice, bob, mallory)] == [0, 1, 1]
    assert {one.username for one in who_may_answer(question)} == {"bob", "mallory"}
    with pytest.raises(MayNotAnswer, match="somebody else"):
        answers.answer(question.id, alice, "approve", digest=question.digest)
    with pytest.raises(MayNotAnswer):
        answers.delegate(question.id, alice, "root")
    answers.answer(question.id, mallory, "approve", digest=question.digest)
    assert Question.objects.get().status == "open"
    assert answers.answer(question.id, bob, "approve", digest=question.digest).status == "answered"


def test_what_is_delegated_back_is_answered_by_who_delegated_it(put: Put, alice: User, mallory: User) -> None:
    question = put(quorum=2)
    answers.delegate(question.id, alice, "mallory")
    answers.delegate(question.id, mallory, "alice")
    assert [inbox(user).count() for user in (alice, mallory)] == [1, 0]
    answers.answer(question.id, alice, "approve", digest=question.digest)
    with pytest.raises((MayNotAnswer, QuestionNotFound)):
        answers.answer(question.id, mallory, "approve", digest=question.digest)


def test_an_administrator_who_delegates_does_not_answer_as_well(put: Put, root: User, mallory: User) -> None:
    question = put(quorum=2)
    answers.delegate(question.id, root, "mallory")
    assert [inbox(user).count() for user in (root, mallory)] == [0, 1]
    with pytest.raises(MayNotAnswer):
        answers.answer(question.id, root, "approve", digest=question.digest)


def test_a_comment_decides_nothing(put: Put, alice: User, starter: User) -> None:
    question = put()
    answers.comment(question.id, starter, "Please hurry.")
    with pytest.raises(InvalidAnswer):
        answers.comment(question.id, alice, "  ")
    assert [one.text for one in question.comments.all()] == ["Please hurry."]
    assert Question.objects.get().status == "open"


def test_a_withdrawn_question_fails_its_run_and_takes_no_answer(asks: Asks, alice: User) -> None:
    question = asks()
    withdraw(question.id, actor=jobs.Actor.of(alice), reason="not needed")
    with pytest.raises(QuestionClosed, match="withdrawn"):
        answers.answer(question.id, alice, "approve", digest=question.digest)
    run = finished(question)
    assert (run.status, run.error["type"]) == ("failed", "QuestionWithdrawn")


def test_a_question_of_a_cancelled_run_is_no_more_to_be_answered(put: Put, alice: User) -> None:
    question = put()
    jobs.cancel(question.run_id)
    question = Question.objects.get()
    assert (question.shown_status, inbox(alice).count()) == ("withdrawn", 0)
    with pytest.raises((QuestionClosed, RunAlreadyEnded)):
        answers.answer(question.id, alice, "approve", digest=question.digest)
    assert types_of(question) == ["question:ask"]
