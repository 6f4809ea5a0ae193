"""Everything that can befall a run, in any order: kills at any step among it. Nothing is lost, done twice or hung.

`make properties` tries many more ways than the quick suite does.
"""

import itertools
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from runs import jobs
from runs.errors import RunAlreadyEnded, RunNotFailed, RunNotPaused
from runs.models import Run, RunStatus, Signal, Step, StepStatus, Worker
from runs.testing import NobodyDied, advance, claim_for, crash_after, drain, freeze, frozen_worker, temporary_jobs
from tests.engine.counting import state_of
from tests.engine.driver import begin, events
from tests.engine.durable import STEPS, Durable

LONG = settings.get_current_profile_name() == "long"
ABSORBING = (RunStatus.COMPLETED, RunStatus.CANCELLED)


class Machine(RuleBasedStateMachine):
    """One run of `Durable`, the model of what it was sent and has recorded, and what can befall it."""

    @initialize()
    def start(self) -> None:
        self.stack = ExitStack()
        self.stack.enter_context(temporary_jobs())
        self.stack.enter_context(freeze())
        self.durable = Durable()
        self.sent: list[int] = []
        self.numbers = itertools.count(1)
        self.recorded: dict[str, tuple[Any, int]] = {}
        self.ended: Any = None
        self.run = begin(self.durable.job())

    @property
    def now(self) -> Run:
        return jobs.get(self.run.id)

    # -- what can befall it

    @rule()
    def signal(self) -> None:
        number = next(self.numbers)
        try:
            for _ in range(2):
                jobs.signal(self.run.id, "go", number, idempotency_key=str(number))
            self.sent.append(number)
        except RunAlreadyEnded:
            assert self.now.has_ended

    @rule()
    def work(self) -> None:
        drain()
        assert self.now.status != RunStatus.RUNNING

    @rule(at=st.sampled_from(STEPS), before=st.booleans())
    def die_at(self, at: str, before: bool) -> None:
        try:
            with crash_after(at, run=self.run, before_record=before):
                drain()
        except NobodyDied:
            assert self.now.status != RunStatus.RUNNING

    @rule()
    def lose_a_worker(self) -> None:
        worker = frozen_worker()
        claim_for(worker)
        worker.delete()

    @rule(hours=st.sampled_from([1, 30]))
    def let_time_pass(self, hours: int) -> None:
        advance(timedelta(hours=hours))

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

    @rule(broken=st.booleans())
    def break_or_mend(self, broken: bool) -> None:
        self.durable.is_broken = broken

    @rule()
    def retry(self) -> None:
        try:
            jobs.retry(self.run.id)
        except RunNotFailed:
            assert self.now.status != RunStatus.FAILED

    @precondition(lambda self: len(self.sent) >= 3)
    @rule()
    def cancel(self) -> None:
        try:
            jobs.cancel(self.run.id)
        except RunAlreadyEnded:
            assert self.now.has_ended

    # -- what holds always

    @invariant()
    def numbers_have_no_gap(self) -> None:
        if hasattr(self, "run"):
            assert self.now.last_sequence == len(events(self.run))

    @invariant()
    def what_is_recorded_stays_and_is_not_done_again(self) -> None:
        if not hasattr(self, "run"):
            return
        for step in Step.objects.filter(run=self.run, status=StepStatus.COMPLETED):
            known = self.recorded.setdefault(step.name, (step.output, self.durable.calls[step.name]))
            assert known == (step.output, self.durable.calls[step.name]), step.name
            if step.kind == "run":
                assert step.output in self.durable.results[step.name]
        made = Group.objects.filter(name="made").count()
        assert made == int("transaction" in self.recorded), "with its record, and never without"

    @invariant()
    def signals_are_taken_once_and_in_order(self) -> None:
        if not hasattr(self, "run"):
            return
        signals = list(Signal.objects.filter(run=self.run).order_by("id"))
        assert [one.payload for one in signals] == self.sent
        takers = [one.consumed_by for one in signals]
        taken = [taker for taker in takers if taker]
        assert len(set(taken)) == len(taken)
        assert takers == [*taken, *[None] * (len(takers) - len(taken))]

    @invariant()
    def ends_are_final(self) -> None:
        if not hasattr(self, "run"):
            return
        if self.ended is not None:
            assert self.ended == self.snapshot()
        elif self.now.status in ABSORBING and not Run.objects.filter(tell_parent=True).exists():
            self.ended = self.snapshot()

    def snapshot(self) -> list[Any]:
        steps = Step.objects.filter(run=self.run).order_by("id").values()
        return [Run.objects.values().get(id=self.run.id), list(steps), len(events(self.run))]

    # -- the end

    def teardown(self) -> None:
        if not hasattr(self, "run"):
            return
        try:
            self.finish()
        finally:
            self.stack.close()
            for model in (Run, Worker, Group):
                model.objects.all().delete()
            connection.close()

    def finish(self) -> None:
        """Left alone, mended and with enough time, it ends with all that it should have."""
        self.durable.is_broken = False
        for _ in range(12):
            if self.now.status == RunStatus.PAUSED or self.now.pause_wanted:
                jobs.resume(self.run.id)
            if self.now.status == RunStatus.FAILED:
                jobs.retry(self.run.id)
            drain()
            advance(timedelta(hours=30))
        self.what_is_recorded_stays_and_is_not_done_again()
        self.signals_are_taken_once_and_in_order()
        ended = self.now
        assert ended.status in ABSORBING, (ended.status, ended.reason, ended.error)
        assert Run.objects.filter(parent=self.run).exclude(status__in=ABSORBING).count() == 0
        if ended.status == RunStatus.COMPLETED:
            self.durable.check(ended.output, self.sent)
            assert state_of(ended) == {f"round {number}": found for number, (found, _) in enumerate(ended.output[0])}


class TestDurability(Machine.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(
        max_examples=120 if LONG else 4,
        stateful_step_count=30 if LONG else 14,
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate, *([Phase.shrink] if LONG else [])],
        suppress_health_check=list(HealthCheck),
    )
