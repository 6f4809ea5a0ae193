"""Replays what a run has recorded against the code of this process: nothing is called, written or consumed.

It is an execution whose step boundary never opens and whose writer never starts: recorded steps give what they gave,
any other call waits there, and when nothing can move any more the known history has passed.
"""

import asyncio
import copy
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from runs import clock
from runs.definitions import Job
from runs.engine.branches import Branch, task_factory
from runs.engine.execute import Execution, Outcome, Verdict, World
from runs.engine.history import StepRecord
from runs.engine.idle import IdleLoop
from runs.engine.mailbox import Mail, read_mail
from runs.engine.payload import clean
from runs.engine.ports import NoFrames, OpenStep
from runs.engine.store.transitions import Transition
from runs.engine.writer import Writer
from runs.errors import NondeterminismError, RunsError
from runs.models import Run, RunStatus

SECONDS = 10.0
"""So long the job's own code may take to pass through its history."""


class Fit(StrEnum):
    """How a recorded history and the code of this process go together."""

    OK = "ok"  # as far as it is recorded
    BREAKS = "breaks"  # the code asks for another step than the one recorded
    PRUNED = "pruned"  # the history is not held any more
    ERROR = "error"  # the code itself fails, or is not there


@dataclass(frozen=True)
class Rehearsed:
    """`expected` and `met` name the steps where a history breaks; `message` says what went wrong otherwise."""

    fit: Fit
    expected: str = ""
    met: str = ""
    message: str = ""


def rehearse(run: Run, version: str | None = None) -> Rehearsed:
    """Replay the run against its own version of the job, or another one. Not from inside a running event loop."""
    if run.first_sequence > 1 or run.pruned_at is not None:
        return Rehearsed(Fit.PRUNED, message=f"its events before {run.first_sequence} are pruned")
    mail = read_mail(run.pk, 0)
    threads = ThreadPoolExecutor(2, thread_name_prefix="runs-rehearsal")
    try:
        with asyncio.Runner(loop_factory=IdleLoop) as runner:
            return runner.run(_drive(run, version or run.job_version, mail, threads))
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


async def _drive(run: Run, version: str, mail: Mail, threads: ThreadPoolExecutor) -> Rehearsed:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, IdleLoop)
    loop.set_task_factory(task_factory)  # type: ignore[arg-type]
    unwritten = Writer(lambda committed: None, lambda error: None)  # never started: what it is given goes with it
    world = World(unwritten, NoFrames(), threads, threads, lambda message: None)
    rehearsal = Rehearsal(run, version, mail, world)
    loop.watched = rehearsal
    await rehearsal.drive()
    return rehearsal.rehearsed


class Rehearsal(Execution):
    """Drives a run through its history and no further."""

    def __init__(self, run: Run, version: str, mail: Mail, world: World) -> None:
        super().__init__(_as_claimed(run, version), world)
        self._recorded, self._mail = run, mail
        self._deadline = clock.monotonic() + SECONDS
        self._has_begun = False
        self._divergence: NondeterminismError | None = None
        self._error: BaseException | None = None
        self._problem: dict[str, Any] = {}  # why the run would not go on or complete
        self._first_new = ""
        self._parked = 0

    @property
    def rehearsed(self) -> Rehearsed:
        """What came of it."""
        if self._divergence is not None:
            return Rehearsed(Fit.BREAKS, self._divergence.expected, self._divergence.met)
        if not self._problem or self._is_recorded(self._problem["type"]):
            return Rehearsed(Fit.OK)
        return Rehearsed(Fit.ERROR, message=clean(f"{self._problem['type']}: {self._problem['message']}", 1_000))

    def _is_recorded(self, problem: str) -> bool:
        """Whether the run fails with this by its history, not by its code."""
        if self._recorded.status == RunStatus.FAILED:
            return problem == (self._recorded.error or {}).get("type")
        return isinstance(self._error, RunsError) and bool(self._error.failed_steps)

    # -- the loop's view

    @property
    def is_busy(self) -> bool:
        if self._verdict.done():
            return True  # what is left of the job's code ends in real time
        works = not self._has_begun or not (self._parked or self._waiting.load.held)
        if works and clock.monotonic() > self._deadline:
            self.decide(self._failure(TimeoutError(f"the job's own code does {SECONDS:g} s of work outside of steps")))
        return works

    def nothing_left(self) -> None:
        if self._recorded.status == RunStatus.COMPLETED and self._first_new:
            self.diverge(NondeterminismError("the end of the job", self._first_new))
        else:
            self.decide(Verdict(Outcome.WAITING))

    # -- where the known ends

    async def _beyond(self) -> None:
        self.check_open()
        self._parked += 1
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._parked -= 1

    async def commit(self, transition: Transition, *, finish: bool = False) -> Exception | None:
        self._parked += 1
        try:
            return await super().commit(transition, finish=finish)  # no answer comes
        finally:
            self._parked -= 1

    async def gate(self) -> None:
        await self._beyond()

    async def park(
        self, until: datetime | None, reason: str, step: OpenStep | None = None, on_mail: bool = False
    ) -> None:
        await self._beyond()

    async def in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        await self._beyond()

    async def _read_mail(self, after: int) -> Mail:
        return Mail(self._mail.inbox, [letter for letter in self._mail.letters if letter.id > after])

    def meet(self, name: str, kind: str) -> StepRecord:
        record = super().meet(name, kind)
        if not record.status:
            self._first_new = self._first_new or record.place
        return record

    def _has_passed(self, branch: Branch) -> bool:
        return self._recorded.status == RunStatus.COMPLETED or super()._has_passed(branch)

    # -- what would be written is looked at and dropped

    def _start_root(self, job: Job, value: Any) -> "asyncio.Future[Any]":
        self._has_begun = True
        return super()._start_root(job, value)

    def _watch_time(self, job: Job) -> None:
        return None

    def _failure(self, error: BaseException) -> Verdict:
        self._error = self._error or error
        return super()._failure(error)

    def diverge(self, error: NondeterminismError) -> None:
        self._divergence = self._divergence or error
        super().diverge(error)

    async def _carry_out(self, verdict: Verdict) -> Outcome:
        written = verdict.transition() if verdict.transition else None
        if written is not None and written.change.values["status"] != RunStatus.COMPLETED:
            unread = {"type": "HistoryUnread", "message": "the database does not answer"}
            self._problem = json.loads(written.change.values.get("error") or "null") or unread
        return verdict.outcome


def _as_claimed(run: Run, version: str) -> Run:
    """A copy of the row, as a worker gets it."""
    claimed = copy.copy(run)
    claimed.job_version, claimed.status, claimed.pause_wanted = version, RunStatus.RUNNING, False
    return claimed
