"""Reminders and escalation are durable timers: they hold no worker, ring once, and replay as they rang."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hitl import answers, people
from hitl.errors import MayNotAnswer, QuestionNotFound
from hitl.models import Question
from hitl.questions import ask
from hitl.waiting import Alarms, Opened
from runs import clock, jobs
from runs.jobs import StepContext, job
from runs.models import Audit, Event, Step
from runs.testing import advance, drain, temporary_jobs
from tests.hitl.conftest import Asks, finished, person

HOUR = timedelta(hours=1)


def count(question: Question, type_: str) -> int:
    return Event.objects.filter(run=question.run_id, type=type_).count()


def after(question: Question, hours: float) -> str:
    """Move the clock and drive what is due; the run's status."""
    advance(timedelta(hours=hours, seconds=1))
    drain()
    question.refresh_from_db()
    return jobs.get(question.run_id).status


def replayed(question: Question) -> None:
    jobs.pause(question.run_id)
    jobs.resume(question.run_id)
    drain()


def test_reminders_come_until_somebody_answers(asks: Asks, alice: User) -> None:
    question = asks("ask-with-timers", {"remind_every": 24})
    assert question.run.lease_worker is None
    for day in (1, 2, 3):
        assert after(question, 24) == "waiting"
        replayed(question)
        assert count(question, "question:remind") == day
        assert question.reminded_at is not None
    answers.answer(question.id, alice, "approve", digest=question.digest)
    assert finished(question).output == "approve by alice"
    assert Audit.objects.filter(action="question.remind").count() == 3
    steps = Step.objects.filter(run=question.run_id, kind="transaction").order_by("id")
    reminders = [f"who will?: reminder {number}" for number in (1, 2, 3)]
    assert list(steps.values_list("name", flat=True)) == ["who will?", *reminders, "who will?: outcome 4"]


def test_after_a_long_stop_one_reminder_is_enough(asks: Asks) -> None:
    question = asks("ask-with-timers", {"remind_every": 1})
    after(question, 100)
    assert count(question, "question:remind") == 1
    after(question, 1)
    assert count(question, "question:remind") == 2


def test_an_escalation_lets_others_answer(asks: Asks, alice: User, team: Group) -> None:
    boss, group = person("boss"), Group.objects.create(name="on call")
    deputy = person("deputy", group)
    question = asks("ask-with-timers", {"deadline": 48, "escalate_to": ["boss", "group:on call"], "to": ["alice"]})
    assert question.escalate_at == question.deadline - 24 * HOUR
    for user in (boss, deputy):
        with pytest.raises(QuestionNotFound):
            answers.answer(question.id, user, "approve", digest=question.digest)
    assert after(question, 23) == "waiting"
    assert count(question, "question:escalate") == 0
    assert after(question, 1) == "waiting"
    replayed(question)
    assert count(question, "question:escalate") == 1
    assert question.escalated_at is not None
    assert all(people.inbox(user).filter(id=question.id).exists() for user in (boss, deputy, alice))
    answers.answer(question.id, deputy, "approve", digest=question.digest)  # the digest it was asked with
    assert finished(question).output == "approve by deputy"
    assert Audit.objects.get(action="question.escalate").data["to"] == ["boss", "group:on call"]


def test_the_team_still_answers_after_its_question_was_escalated(asks: Asks, alice: User, mallory: User) -> None:
    person("boss")
    question = asks("ask-with-timers", {"escalate_to": ["boss"], "escalate_after": 1})
    after(question, 1)
    assert question.escalated_at is not None
    with pytest.raises(QuestionNotFound):
        answers.answer(question.id, mallory, "approve", digest=question.digest)
    answers.answer(question.id, alice, "approve", digest=question.digest)
    assert finished(question).output == "approve by alice"


def test_an_escalation_to_the_starter_does_not_let_them_decide(asks: Asks, starter: User) -> None:
    question = asks("ask-with-timers", {"escalate_to": ["sara"], "escalate_after": 1})
    after(question, 1)
    with pytest.raises(MayNotAnswer):
        answers.answer(question.id, starter, "approve", digest=question.digest)


def test_who_left_before_the_escalation_is_passed_over(asks: Asks) -> None:
    boss = person("boss")
    question = asks("ask-with-timers", {"escalate_to": ["boss"], "escalate_after": 1})
    boss.delete()
    assert after(question, 1) == "waiting"
    assert question.escalated_at is not None


def test_timers_that_ring_after_the_deadline_say_nothing(asks: Asks) -> None:
    person("boss")
    question = asks("ask-with-timers", {"deadline": 4, "remind_every": 1, "escalate_to": ["boss"]})
    assert after(question, 100) == "completed"
    assert question.status == "expired"
    assert (count(question, "question:remind"), count(question, "question:escalate")) == (0, 0)
    assert jobs.get(question.run_id).output == "deny by "


def test_an_answer_given_while_no_worker_ran_counts_before_all_timers(asks: Asks, alice: User) -> None:
    question = asks("ask-with-timers", {"deadline": 4, "remind_every": 1})
    answers.answer(question.id, alice, "approve", digest=question.digest)
    after(question, 3)
    assert jobs.get(question.run_id).output == "approve by alice"
    assert count(question, "question:remind") == 0


BAD = {
    "too often": {"remind_every": timedelta(seconds=59)},
    "to nobody": {"escalate_after": HOUR},
    "never": {"escalate_to": ["alice"]},
    "too late": {"escalate_to": ["alice"], "escalate_after": HOUR, "deadline": HOUR},
    "before it is asked": {"escalate_to": ["alice"], "escalate_after": -HOUR},
    "to one text": {"escalate_to": "alice", "escalate_after": HOUR},
}


def test_timers_that_cannot_be_kept_are_refused(transactional_db: None, alice: User) -> None:
    with temporary_jobs():

        @job("asks-badly")
        async def asks_badly(step: StepContext, name: str) -> None:
            await ask(step, "ok?", **BAD[name])  # type: ignore[arg-type]

        @job("escalates-to-nobody")
        async def escalates_to_nobody(step: StepContext) -> None:
            await ask(step, "ok?", escalate_to=["nobody"], escalate_after=HOUR)

        runs = [jobs.start(asks_badly, name).run for name in BAD]
        nobody = jobs.start(escalates_to_nobody).run
        drain()
    errors = [(jobs.get(run.id).error or {}).get("type") for run in runs]
    assert errors == ["InvalidQuestion"] * len(BAD)
    assert "'nobody', who is not there" in str(jobs.get(nobody.id).error)
    assert not Question.objects.exists()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 50), st.none() | st.integers(1, 30), st.none() | st.integers(0, 49))
def test_the_deadline_is_always_the_last_alarm(deadline: int, remind: int | None, escalate: int | None) -> None:
    now = clock.now()
    opened = Opened(
        id="x", deadline=now + deadline * HOUR, remind_at=remind and now + remind * HOUR,
        escalate_at=None if escalate is None else now + escalate * HOUR,
    )  # fmt: skip
    alarm = Alarms(opened).next()
    assert alarm is not None
    assert alarm.at == min(at for at in (opened.deadline, opened.remind_at, opened.escalate_at) if at)
    if alarm.at == opened.deadline:
        assert alarm.what == "deadline"
