"""A plain `def` job asks as an async one does, in its own thread."""

from datetime import timedelta

from django.contrib.auth.models import User

from hitl import answers, asking
from runs import jobs
from runs.models import Event, Step
from runs.testing import advance, drain
from tests.hitl.conftest import Asks, finished


def test_a_plain_job_goes_on_with_the_answer_and_asks_nobody_again(asks: Asks, alice: User) -> None:
    question = asks("ask-in-a-thread", {"body": "Now?"})
    assert question.run.lease_worker is None
    for _ in range(2):
        jobs.pause(question.run_id)
        jobs.resume(question.run_id)
        drain()
    answers.answer(question.id, alice, "approve", comment="fine", digest=question.digest)
    run = finished(question)
    assert run.output == {"after": "approve after prepared", "comment": "fine"}
    assert Event.objects.filter(run=run, type="question:ask").count() == 1
    names = list(Step.objects.filter(run=run).order_by("id").values_list("name", flat=True))
    assert names == ["before", "merge?", "merge?: answer", "merge?: outcome", "after"]


def test_what_an_async_job_would_raise_a_plain_one_raises(asks: Asks, alice: User) -> None:
    late, gone = asks("ask-in-a-thread", {}), asks("ask-in-a-thread", {})
    asking.withdraw(gone.id, reason="not needed")
    advance(timedelta(days=8))
    assert finished(late).error["type"] == "QuestionExpired"
    assert "not needed" in jobs.get(gone.run_id).error["message"]
