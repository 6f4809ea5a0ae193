"""`manage.py replay` passes questions, open and answered, without asking anybody again."""

import pytest
from django.contrib.auth.models import User

from hitl import answers
from hitl.models import Answer, Question
from runs import jobs
from runs.maintenance.replay import Fit, replay, runs_to_replay
from runs.maintenance.retention import parse_age
from tests.hitl.conftest import Asks, finished

pytestmark = pytest.mark.usefixtures("transactional_db")


def fits() -> list[Fit]:
    return [replayed.fit for replayed in replay(runs_to_replay(None, parse_age("7d")))]


def test_questions_are_replayed_from_what_is_recorded(asks: Asks, alice: User) -> None:
    question = asks()
    assert fits() == [Fit.OK]
    answers.answer(question.id, alice, "approve", digest=question.digest)
    assert fits() == [Fit.OK]
    assert jobs.get(question.run_id).status == "queued"
    finished(question)
    assert fits() == [Fit.OK]
    assert (Question.objects.count(), Answer.objects.count()) == (1, 1)
