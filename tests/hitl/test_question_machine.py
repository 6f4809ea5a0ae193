"""Answers, timers, pauses, replaced questions and lost workers in any order: one decision, and nothing told twice."""

import itertools
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hitl import answers
from hitl.asking import revise
from hitl.errors import AlreadyAnswered, QuestionClosed, QuestionNotFound
from hitl.models import Answer, Delivery, Question
from hitl.questions import Deny, ask
from runs import jobs
from runs.errors import RunAlreadyEnded, RunNotPaused
from runs.jobs import StepContext, job
from runs.models import Event, Run, RunStatus
from runs.testing import advance, claim_for, drain, frozen_worker, temporary_jobs
from tests.hitl.conftest import person

HOUR = timedelta(hours=1)
QUORUM = 2
_numbers = itertools.count(1)


class Machine(RuleBasedStateMachine):
    """One question to a team of three, with all its timers."""

    @initialize()
    def start(self) -> None:
        number = next(_numbers)
        team = Group.objects.create(name=f"team {number}")
        self.members = [person(f"member {number}.{place}", team) for place in range(3)]
        self.boss = person(f"boss {number}")
        User.objects.filter(pk__in=[one.pk for one in (*self.members, self.boss)]).update(email="x@example.org")
        self.counted: list[str] = []
        self.hours = 0.0
        self.registered = temporary_jobs()
        self.registered.__enter__()

        @job("machine")
        async def machine(step: StepContext) -> list[Any]:
            outcome = await ask(
                step, "ok?", quorum=QUORUM, deadline=10 * HOUR, on_timeout=Deny(), remind_every=2 * HOUR,
                escalate_to=[self.boss], escalate_after=4 * HOUR,
            )  # fmt: skip
            return [outcome.decision, outcome.timed_out, [one["by"] for one in outcome.answers]]

        self.run = jobs.start(machine, team=team).run
        drain()

    @property
    def now(self) -> Run:
        return jobs.get(self.run.id)

    @property
    def question(self) -> Question:
        return Question.objects.get(run=self.run)

    def count(self, type_: str) -> int:
        return Event.objects.filter(run=self.run, type=f"question:{type_}").count()

    @rule(place=st.integers(0, 3))
    def answer(self, place: int) -> None:
        user = [*self.members, self.boss][place]
        question = self.question
        try:
            answers.answer(question.id, user, "approve", digest=question.digest)
            self.counted.append(user.username)
        except QuestionClosed:
            assert question.status != "open" or self.hours >= 10
        except AlreadyAnswered:
            assert user.username in self.counted
        except QuestionNotFound:
            assert user == self.boss
            assert question.escalated_at is None

    @rule()
    def replace(self) -> None:
        try:
            revise(self.question.id, body=f"words after {self.hours} hours, {len(self.counted)}, {self.count('ask')}")
            self.counted.clear()
        except QuestionClosed:
            assert self.question.status != "open" or self.hours >= 10

    @rule()
    def work(self) -> None:
        drain()

    @rule()
    def lose_a_worker(self) -> None:
        worker = frozen_worker()
        claim_for(worker)
        worker.delete()

    @rule(hours=st.sampled_from([0.5, 2, 3]))
    def let_time_pass(self, hours: float) -> None:
        advance(hours * HOUR)
        self.hours += hours

    @precondition(lambda self: not self.now.has_ended)
    @rule()
    def pause(self) -> None:
        jobs.pause(self.run.id)

    @rule()
    def resume(self) -> None:
        try:
            jobs.resume(self.run.id)
        except (RunNotPaused, RunAlreadyEnded):
            assert self.now.status != RunStatus.PAUSED

    @invariant()
    def nothing_is_told_twice(self) -> None:
        if not hasattr(self, "run"):
            return
        question = self.question
        valid = list(Answer.objects.filter(question=question, digest=question.digest).values_list("by_name", flat=True))
        assert valid == self.counted
        assert len(valid) <= QUORUM
        assert self.count("remind") <= self.hours // 2
        assert self.count("escalate") == (question.escalated_at is not None)
        told = Counter(Delivery.objects.filter(question=question).values_list("about", "to"))
        assert all(told["asked", user.pk] == 1 for user in self.members)
        assert all(told["closed", user.pk] <= 1 for user in (*self.members, self.boss))

    def teardown(self) -> None:
        if not hasattr(self, "run"):
            return
        try:
            self.finish()
        finally:
            self.registered.__exit__(None, None, None)

    def finish(self) -> None:
        for _ in range(8):
            if self.now.status == RunStatus.PAUSED or self.now.pause_wanted:
                jobs.resume(self.run.id)
            drain()
            advance(3 * HOUR)
        run, question = self.now, self.question
        assert run.status == RunStatus.COMPLETED, (run.status, run.reason, run.error)
        decided = ["approve", False] if question.status == "answered" else ["deny", True]
        assert run.output == [*decided, self.counted]
        assert (len(self.counted) == QUORUM) == (question.status == "answered")
        assert self.count("expire") == (question.status == "expired")


@pytest.fixture(autouse=True)
def _with_mails(settings: Any, transactional_db: None) -> None:
    settings.HITL_EMAIL = True


class TestQuestions(Machine.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(
        max_examples=4,
        stateful_step_count=10,
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
