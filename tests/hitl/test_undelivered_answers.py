"""An answered question whose signal is missing is found, and its run is told."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from hitl import answers
from hitl.models import Question
from runs import jobs
from runs.maintenance.invariants import find_violations
from runs.maintenance.rounds import Rounds
from runs.models import Event, Run, Signal
from tests.hitl.conftest import Asks, finished


def approve(question: Question, person: User) -> None:
    answers.answer(question.id, person, "approve", digest=question.digest)


def withdraw(question: Question, person: User) -> None:
    answers.withdraw(question.id, question.run.owner)


def lose_the_signal(question: Question) -> None:
    Signal.objects.filter(run=question.run).delete()
    Run.objects.filter(id=question.run_id).update(status="waiting", due_at=None)
    sent = Event.objects.filter(run=question.run, type="signal:receive").get()
    Run.objects.filter(id=question.run_id).update(last_sequence=sent.sequence - 1)
    Event.objects.filter(run=question.run, sequence__gte=sent.sequence).delete()


@pytest.mark.parametrize(("end", "status"), [(approve, "completed"), (withdraw, "failed")])
def test_its_run_is_told_and_goes_on(
    asks: Asks, alice: User, end: Callable[[Question, User], None], status: str
) -> None:
    question = asks()
    end(question, alice)
    lose_the_signal(question)
    assert [(one.invariant, one.run, one.detail) for one in find_violations()] == [
        ("answer_not_delivered", question.run_id, f"question {question.id}")
    ]
    assert Rounds().look() == {"answer_not_delivered": 1}
    assert list(find_violations()) == []
    (line,) = Event.objects.filter(run=question.run, type="log:write")
    assert line.data["message"] == "Repaired: the run had not been told of the end of its question: merge?."
    assert finished(question).status == status
    assert Rounds().look() == {}


def test_an_open_question_and_an_answer_on_its_way_are_well(asks: Asks, alice: User) -> None:
    question = asks()
    assert list(find_violations()) == []
    approve(question, alice)
    assert (list(find_violations()), Rounds().look()) == ([], {})
    assert finished(question).status == "completed"
    assert jobs.get(question.run_id).has_ended
    assert list(find_violations()) == []
