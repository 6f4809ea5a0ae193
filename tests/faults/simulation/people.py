"""The world around the workers: who starts runs, sends signals, cancels, holds and retries, and what befalls leases."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from runs import clock, jobs
from runs.errors import RunAlreadyEnded, RunNotFailed, RunNotPaused
from runs.models import ENDED, EndHook, Run, RunStatus, Worker
from tests.faults.simulation.interpreter import JOB, Outside
from tests.faults.simulation.programs import SIGNAL, Author, waits_in
from tests.faults.simulation.trace import Trace

RUNS = 4
STORM_SECONDS = 15.0
PATIENCE_SECONDS = 120.0
"""Left alone and mended, everything has to be over by then."""


class People:
    """`storm` is over after its time; then `calm` ends all that is held, and waits until every run has ended."""

    def __init__(self, random: Random, trace: Trace, outside: Outside, runs: int) -> None:
        self._random, self._trace, self._outside = random, trace, outside
        self._runs = runs
        self.programs: dict[UUID, Any] = {}
        self.cancelled: set[UUID] = set()
        self.sent: Counter[UUID] = Counter()

    async def storm(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(self._runs):
                group.create_task(self._attend(number))

    async def _attend(self, number: int) -> None:
        """One run, from its start to the end of the storm."""
        await asyncio.sleep(self._random.choice((0.0, 0.0, 0.5, 2.0)))
        run = self._start(number)
        acts = [self._send] * (waits_in(self.programs[run]) + 1)
        acts += self._random.choice(((), (), (self._pause, self._resume), (self._cancel,)))
        ends_at = asyncio.get_running_loop().time() + self._random.choice((2.0, 6.0, STORM_SECONDS))
        for act in acts:
            await asyncio.sleep(self._random.random() * 2 * STORM_SECONDS / len(acts) / 3)
            self._do(act, run)
            if asyncio.get_running_loop().time() > ends_at:
                return

    def _start(self, number: int) -> UUID:
        program = Author(self._random).write(self._random.randint(2, 7))
        key = self._random.choice((None, None, "one at a time"))
        for _ in range(2):
            started = jobs.start(JOB, {"program": program}, idempotency_key=f"run {number}", concurrency_key=key)
        self.programs[started.run.id] = program
        self._trace.say("people", f"start {started.run.id.hex[-4:]} {program}")
        return started.run.id

    def _do(self, act: Callable[[UUID], None], run: UUID) -> None:
        try:
            act(run)
        except (RunAlreadyEnded, RunNotPaused, RunNotFailed) as exc:
            self._trace.say("people", f"refused {run.hex[-4:]}: {type(exc).__name__}")

    def _send(self, run: UUID) -> None:
        number = self.sent[run] + 1
        for _ in range(self._random.choice((1, 2))):
            jobs.signal(run, SIGNAL, number, idempotency_key=str(number))
        self.sent[run] = number
        self._trace.say("people", f"signal {number} to {run.hex[-4:]}")

    def slip_in(self, run: UUID) -> None:
        """Send the run what it is about to wait for, if there is more for it."""
        if self.sent[run] < waits_in(self.programs.get(run, [])):
            self._do(self._send, run)

    def _cancel(self, run: UUID) -> None:
        jobs.cancel(run)
        self.cancelled.add(run)
        self._trace.say("people", f"cancel {run.hex[-4:]}")

    def _pause(self, run: UUID) -> None:
        jobs.pause(run)
        self._trace.say("people", f"pause {run.hex[-4:]}")

    def _resume(self, run: UUID) -> None:
        jobs.resume(run)
        self._trace.say("people", f"resume {run.hex[-4:]}")

    def _retry(self, run: UUID) -> None:
        jobs.retry(run)
        self._trace.say("people", f"retry {run.hex[-4:]}")

    def end_a_lease(self) -> None:
        """Some worker loses its lease, and does not know."""
        alive = list(Worker.objects.filter(expires_at__gt=clock.now()).order_by("id"))
        if alive:
            worker = self._random.choice(alive)
            Worker.objects.filter(id=worker.id).update(expires_at=clock.now() - timedelta(seconds=1))
            self._trace.say("people", f"the lease of {worker.pid_start} ends")

    # -- the end

    async def calm(self) -> bool:
        """Whether everything came to its end in time."""
        self._outside.is_mended = True
        deadline = clock.monotonic() + PATIENCE_SECONDS
        while clock.monotonic() < deadline:
            self._let_go_on()
            if not self._left():
                return True
            await asyncio.sleep(0.5)
        return False

    def _let_go_on(self) -> None:
        for run in self.programs:
            while self.sent[run] < waits_in(self.programs[run]) + 1 and not jobs.get(run).has_ended:
                self._do(self._send, run)
        for run in Run.objects.filter(status=RunStatus.PAUSED) | Run.objects.filter(pause_wanted=True):
            self._do(self._resume, run.id)
        for run in Run.objects.filter(status=RunStatus.FAILED, parent=None).order_by("id"):
            self._do(self._retry, run.id)

    def _left(self) -> bool:
        open_runs = Run.objects.exclude(status__in=ENDED).exists()
        return (
            open_runs
            or Run.objects.filter(end_hook=EndHook.DUE).exists()
            or (Run.objects.filter(tell_parent=True).exists())
        )
