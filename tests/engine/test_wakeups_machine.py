"""Signals, timers, cancel, pause, retry, worker loss and replay in any order: nothing is lost or done twice."""

import itertools
from datetime import timedelta
from typing import Any

from django.db import connection
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from runs import jobs
from runs.errors import RunAlreadyEnded, RunNotPaused, SignalTimeout
from runs.jobs import StepContext, job
from runs.models import Attempt, Event, Run, RunStatus, Signal, Step, Worker
from runs.testing import advance, claim_for, drain, frozen_worker, temporary_jobs
from tests.engine.driver import begin, events

ROUNDS = 4


class Machine(RuleBasedStateMachine):
    """One run that takes four signals or lets them time out, with a step after each, and what can befall it."""

    @initialize()
    def start(self) -> None:
        self.calls: list[str] = []
        self.sent: list[int] = []
        self.numbers = itertools.count(1)
        self.ended: Any = None
        self.registered = temporary_jobs()
        self.registered.__enter__()

        @job("machine")
        async def machine(step: StepContext) -> list[Any]:
            return [await self.round(step, number) for number in range(ROUNDS)]

        self.run = begin(machine)

    async def round(self, step: StepContext, number: int) -> Any:
        try:
            found = await step.wait_for_signal("go", timeout=timedelta(hours=1))
        except SignalTimeout:
            found = None
        step.state.update(**{f"round {number}": found})
        await step.run(f"step {number}", self.calls.append, f"step {number}")
        return found

    @property
    def now(self) -> Run:
        return jobs.get(self.run.id)

    @rule()
    def signal(self) -> None:
        number = next(self.numbers)
        try:
            jobs.signal(self.run.id, "go", number, idempotency_key=str(number))
            jobs.signal(self.run.id, "go", number, idempotency_key=str(number))
            self.sent.append(number)
        except RunAlreadyEnded:
            assert self.now.has_ended

    @rule()
    def work(self) -> None:
        drain()
        assert self.now.status != RunStatus.RUNNING

    @rule()
    def lose_a_worker(self) -> None:
        """It dies right after its claim; whoever comes next takes the run over."""
        worker = frozen_worker()
        claim_for(worker)
        worker.delete()

    @rule()
    def let_time_pass(self) -> None:
        advance(timedelta(minutes=40))

    @rule()
    def pause(self) -> None:
        try:
            jobs.pause(self.run.id)
        except RunAlreadyEnded:
            assert self.now.has_ended

    @rule()
    def resume(self) -> None:
        try:
            jobs.resume(self.run.id)
        except RunNotPaused:
            assert self.now.status != RunStatus.PAUSED

    @precondition(lambda self: len(self.sent) >= 2)
    @rule()
    def cancel(self) -> None:
        try:
            jobs.cancel(self.run.id)
        except RunAlreadyEnded:
            assert self.now.has_ended

    @invariant()
    def numbers_have_no_gap(self) -> None:
        if hasattr(self, "run"):
            assert self.now.last_sequence == len(events(self.run))

    @invariant()
    def ends_are_final(self) -> None:
        if not hasattr(self, "run"):
            return
        rows = [list(model.objects.filter(run=self.run).values()) for model in (Step, Attempt, Signal, Event)]
        found = [Run.objects.filter(id=self.run.id).values().get(), *rows]
        assert self.ended in (None, found)
        self.ended = found if self.now.has_ended else None

    @invariant()
    def no_signal_is_lost_or_taken_twice(self) -> None:
        if not hasattr(self, "run"):
            return
        signals = list(Signal.objects.filter(run=self.run).order_by("id"))
        assert [one.payload for one in signals] == self.sent
        takers = [one.consumed_by for one in signals if one.consumed_by]
        assert len(set(takers)) == len(takers)
        assert [bool(one.consumed_by) for one in signals] == [True] * len(takers) + [False] * (
            len(signals) - len(takers)
        )
        assert len(set(self.calls)) == len(self.calls), "no step is called again"

    def teardown(self) -> None:
        if not hasattr(self, "run"):
            return
        try:
            self.finish()
        finally:
            self.registered.__exit__(None, None, None)
            Run.objects.all().delete()
            Worker.objects.all().delete()
            connection.close()

    def finish(self) -> None:
        """Left alone with enough time it ends, having taken what was sent in order."""
        for _ in range(ROUNDS + 2):
            # a worker too many that died paused it as a crash loop: an operator resumes that, too
            if self.now.status == RunStatus.PAUSED or self.now.pause_wanted:
                jobs.resume(self.run.id)
            drain()
            advance(timedelta(hours=1))
        ended = self.now
        assert ended.has_ended, (ended.status, ended.reason, ended.error)
        if ended.status == RunStatus.CANCELLED:
            return
        assert ended.status == RunStatus.COMPLETED, ended.error
        taken = [one for one in ended.output if one is not None]
        assert taken == self.sent[: len(taken)]
        assert len(taken) == min(ROUNDS, len(self.sent)) or None in ended.output
        assert self.calls == [f"step {number}" for number in range(ROUNDS)]


class TestWakeups(Machine.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(
        max_examples=4,
        stateful_step_count=10,
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
