"""The kernel: one claimed run → one outcome. Its world comes as arguments."""

import asyncio
import contextvars
import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.db import DatabaseError, InterfaceError

from runs.conf import get_settings
from runs.definitions import Job, registry
from runs.engine import artifacts, ends
from runs.engine.artifacts import Saving
from runs.engine.branches import Branch, enter
from runs.engine.bridge import Bridge, SyncStepContext
from runs.engine.bridge import enter as enter_bridge
from runs.engine.calls import StepCall
from runs.engine.history import CHILDREN, History, load_history
from runs.engine.hooks import call_end_hook
from runs.engine.mailbox import Mail, read_mail
from runs.engine.outages import describe
from runs.engine.perform import Performance
from runs.engine.ports import through
from runs.engine.state import RunState
from runs.engine.store.transitions import Result, Transition
from runs.engine.threads import call_in, give_back_connections
from runs.engine.updated import UpdatedRun
from runs.engine.watch import Look
from runs.engine.world import World
from runs.errors import JobNotFound, NondeterminismError, RunTimeout, TimerAroundWait
from runs.models import Run

__all__ = ["Execution", "Outcome", "Verdict", "World"]

logger = logging.getLogger("runs.engine")

_WRITES_SECONDS = 0.005


def _read_past(run: Run) -> tuple[History, Mail]:
    return load_history(run), read_mail(run.id, 0)


class Outcome(Enum):
    """What became of a claimed run in this process."""

    ENDED = "ended"
    WAITING = "waiting"
    PAUSED = "paused"
    RELEASED = "released"  # handed back, for another worker to go on
    LOST = "lost"  # cancelled, or taken by another worker


@dataclass(frozen=True)
class Verdict:
    """Why the driving of a run ends; the first one counts. `transition` is None where nothing is left to write."""

    outcome: Outcome
    transition: Callable[[], Transition] | None = None


class Execution(UpdatedRun):
    """Drives one claimed run. All methods are called in the driving loop, unless they say otherwise."""

    async def drive(self) -> Outcome:
        """Execute until the run ends, waits, is handed back or is lost; nothing of it runs on afterwards."""
        self._loop = asyncio.get_running_loop()
        self._verdict: asyncio.Future[Verdict] = self._loop.create_future()
        async with ThreadSensitiveContext() as self._query_thread:
            self._context = contextvars.copy_context()  # without a branch: for what the kernel itself schedules
            try:
                return await (self._call_end_hook() if self.run.has_ended else self._drive_job())
            finally:
                give_back_connections(self._query_thread)

    async def _call_end_hook(self) -> Outcome:
        called = await call_end_hook(self.run, self.world.step_threads)
        answer = await self.submit(called)
        return Outcome.ENDED if answer is Result.DONE else Outcome.LOST

    async def _drive_job(self) -> Outcome:
        root: asyncio.Future[Any] | None = None
        try:
            job = registry.get(self.run.job, self.run.job_version)
            value = job.parse_input(self.run.input)
            if self.run.write_no:
                await self._load_past(job)
            await self._load_updates(job)
            root = self._start_root(job, value)
            if self.run.pause_wanted:
                self.pause(self.run.inbox, self.run.pause_event)
        except JobNotFound as exc:
            self.decide(Verdict(Outcome.PAUSED, partial(ends.pause, "job_not_found", exc)))
        except (DatabaseError, InterfaceError) as exc:
            logger.warning("Run %s goes back, because of the database: %s.", self.run_id, describe(exc))
            self.decide(Verdict(Outcome.RELEASED, partial(ends.release, self.run)))
        except Exception as exc:
            self.decide(self._failure(exc))
        outcome = await self._carry_out(await self._verdict)
        await self._dismantle(root)
        return outcome

    async def _load_past(self, job: Job) -> None:
        """Its history and, as it has most likely been woken by some, its mail, with one way to a thread and back."""
        if job.updates:  # they are handed over as mail comes, and nobody is there yet to take them
            self.history = await self.read(load_history, self.run)
            self._share_budget()
            return
        self.mailbox.expect()
        self.history, mail = await self.read(_read_past, self.run)
        self.mailbox.fill(mail)
        self._share_budget()

    def _share_budget(self) -> None:
        """Its children spend, too."""
        if self.purse is not None and any(one.kind in CHILDREN for one in self.history.by_name.values()):
            self.purse.share()

    def _start_root(self, job: Job, value: Any) -> "asyncio.Future[Any]":
        context = self._context.copy()
        branch, state = Branch("0", self.adopt, self.timers), RunState(self._notes)
        context.run(enter, branch)
        self._prepare_updates(job, branch, state)
        step = self._context_of(job, state)
        arguments = (value,) if job.input_adapter is not None else ()
        if job.is_async:
            root: asyncio.Future[Any] = asyncio.Task(
                ends.body(job.function, step, *arguments), loop=self._loop, context=context
            )
        else:
            self._bridge = Bridge(self._loop, self.adopt)
            context.run(enter_bridge, self._bridge)
            blocking = SyncStepContext(step, self._bridge)
            root = call_in(self.world.job_threads, context.run, job.function, blocking, *arguments)
        root.add_done_callback(lambda done: self._root_ended(job, done), context=self._context)
        self._watch_time(job)
        if self.run.inbox:
            self._look_for_updates()
        return root

    def _root_ended(self, job: Job, root: "asyncio.Future[Any]") -> None:
        error = asyncio.CancelledError() if root.cancelled() else root.exception()
        if self._verdict.done():
            return
        if error is not None:
            self.decide(self._failure(error))
        elif job.updates:
            self.in_background(self._after_updates(lambda: self._complete(job, root.result(), self.mailbox.inbox)))
        else:
            self._complete(job, root.result(), None)

    def _complete(self, job: Job, output: Any, inbox: int | None) -> None:
        if missing := self.history.unasked():
            self.diverge(NondeterminismError(missing.place, "the end of the job"))
        else:
            self.decide(Verdict(Outcome.ENDED, lambda: ends.complete(self.run, job, output, self._opened(), inbox)))

    def _failure(self, error: BaseException) -> Verdict:
        return Verdict(Outcome.ENDED, lambda: ends.fail(error, self._opened()))

    def _watch_time(self, job: Job) -> None:
        if job.timeout is None:
            return
        seconds = job.timeout.total_seconds()
        verdict = self._failure(RunTimeout(seconds))
        self.call_later(max(0.0, seconds - self.run.active_ms / 1000), self.decide, verdict)

    # -- ends

    def decide(self, verdict: Verdict) -> None:
        """The first verdict counts. From now on every `step.*` raises Suspended and records nothing."""
        if not self._verdict.done():
            self._verdict.set_result(verdict)
            self._seal()

    def diverge(self, error: NondeterminismError) -> None:
        """The code does not match the history: the run is paused and nothing of it touched."""
        self.decide(Verdict(Outcome.PAUSED, lambda: ends.pause("nondeterminism", error)))

    def lose(self) -> None:
        """The lease is gone (cancelled, or taken over): write and send nothing more."""
        self.world.frames.drop_run(self.run_id)
        self.decide(Verdict(Outcome.LOST))

    def drain(self) -> None:
        """Hand the run back at the next step boundary; at once if no step is running."""
        self._is_draining = True
        self._waiting.leave_by(lambda: self.decide(Verdict(Outcome.RELEASED, partial(ends.release, self.run))))

    def pause(self, inbox: int, said: dict[str, Any]) -> None:
        """An operator holds the run, and `said` who and why: running steps end first, no other begins.

        Whoever takes the pause back raises the inbox, and then the run is handed back instead of held.
        """
        self._is_pausing = True
        self._waiting.leave_by(lambda: self.decide(Verdict(Outcome.PAUSED, lambda: ends.hold(inbox, said))))

    def refuse_timer(self, seconds: float) -> None:
        """A wait would leave memory, and with it a timer that the job's own code relies on."""
        self.decide(self._failure(TimerAroundWait(seconds)))

    def broken(self, error: BaseException) -> None:
        """Nobody but an operator can say what becomes of a run whose updates the engine fails to handle."""
        logger.error("Run %s: its updates cannot be handled.", self.run_id, exc_info=error)
        cause = error if isinstance(error, Exception) else RuntimeError(repr(error))
        self.decide(Verdict(Outcome.PAUSED, partial(ends.pause, "update_error", cause)))

    def unloaded(self) -> None:
        self.decide(Verdict(Outcome.WAITING))

    def hear(self) -> None:
        """Something may have arrived: who waits for mail looks."""
        self.mailbox.mark_stale()
        self._waiting.wake()
        self._look_for_updates()

    def see(self, look: Look) -> None:
        """What the run's row says now: something arrived, or an operator wants it paused."""
        if look.inbox != self.mailbox.inbox:
            self.hear()
        if self._is_draining:
            return
        if look.pause_wanted:
            self.pause(look.inbox, look.pause_event)
        elif self._is_pausing:
            self._is_pausing = False
            self._waiting.stay()

    def _opened(self) -> list[Transition]:
        """Steps that the end of the run finds at work, or between two attempts, or only in its rows."""
        between = [
            wait.step for wait in self._waiting.load.parked.values() if wait.step is not None and wait.step.has_begun
        ]
        at_work = [step for step in self._waiting.load.open.values() if not step.is_settled]
        ended = [step.cancellation() for step in [*at_work, *between]]
        left = [record for record in self.history.by_name.values() if record.is_open]
        return ended + [ends.call_off(self.run_id, record) for record in left]

    def _seal(self) -> None:
        self.sealed = True
        for step in self._waiting.load.open.values():
            step.attempt.stop()
        self._waiting.stop()

    async def _carry_out(self, verdict: Verdict) -> Outcome:
        if verdict.transition is None:
            return verdict.outcome
        if verdict.outcome is Outcome.ENDED:
            await self._writes_ended()
        answer = await self.submit(verdict.transition())
        if isinstance(answer, Exception):
            logger.error("Run %s: its end cannot be stored: %s", self.run_id, answer)
            problem = answer
            answer = await self.submit(ends.fail(problem, self._opened()))
        if answer is Result.INBOX:
            answer = await self.submit(ends.release(self.run))
            return Outcome.RELEASED if answer is Result.DONE else Outcome.LOST
        return verdict.outcome if answer is Result.DONE else Outcome.LOST

    async def _writes_ended(self) -> None:
        """A step that is being recorded is not open: written over, a retry would do again what it has done."""
        while self._waiting.load.writes:  # noqa: ASYNC110  (counted in many places, and hardly ever more than none)
            await asyncio.sleep(_WRITES_SECONDS)

    async def _dismantle(self, root: "asyncio.Future[Any] | None") -> None:
        """Cancel what is left of the job's code, and report what will not end."""
        left = [task for task in [*self._tasks, root] if task is not None and not task.done()]
        for task in left:
            if isinstance(task, asyncio.Task):
                task.cancel()
        if left:
            settings = get_settings()
            grace = settings.unload_grace_seconds if self._bridge is None else settings.sync_abort_grace_seconds
            _, stuck = await asyncio.wait(left, timeout=grace)
            if stuck:
                self.world.leak(f"Run {self.run_id} of job {self.run.job!r} does not stop after {grace:g} s.")

    async def perform(self, call: StepCall) -> Any:
        """One `step.*` call of the job's code that calls a function."""
        record = self.meet(call.name, call.kind)
        if record.name != call.name:
            call = call._replace(name=record.name)
        performance = Saving if call.kind == artifacts.KIND else Performance
        return await through(self, performance(self, call, record).result())
