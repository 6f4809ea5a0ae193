"""The kernel: one claimed run → one outcome. Its world comes as arguments."""

import asyncio
import concurrent.futures
import contextvars
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import partial
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.db import DatabaseError, InterfaceError

from runs.conf import get_settings
from runs.definitions import Job, registry
from runs.engine import ends
from runs.engine.branches import Branch, current_branch, enter
from runs.engine.bridge import Bridge, SyncStepContext
from runs.engine.calls import Policy, StepCall
from runs.engine.history import History, StepRecord, load_history
from runs.engine.hooks import call_end_hook
from runs.engine.mailbox import Mail, MailArrived, Mailbox, read_mail
from runs.engine.notes import Notes
from runs.engine.payload import Payload
from runs.engine.perform import Performance, check_name
from runs.engine.ports import FrameSink, OpenStep
from runs.engine.state import RunState
from runs.engine.step import StepContext
from runs.engine.store.transitions import Result, Transition
from runs.engine.threads import call_in, give_back_connections, watch_thread
from runs.engine.transactional import call_and_record
from runs.engine.waiting import Waiting
from runs.engine.watch import Look
from runs.engine.writer import Handle, Writer
from runs.errors import JobNotFound, NondeterminismError, RunTimeout, StepOutsideJob, Suspended
from runs.models import Run

logger = logging.getLogger("runs.engine")


class Outcome(Enum):
    """What became of a claimed run in this process."""

    ENDED = "ended"
    WAITING = "waiting"
    PAUSED = "paused"
    RELEASED = "released"  # handed back, for another worker to go on
    LOST = "lost"  # cancelled, or taken by another worker


@dataclass
class World:
    """What an execution needs of its process. `leak(message)` reports what would not end, and drains the process."""

    writer: Writer
    frames: FrameSink
    job_threads: ThreadPoolExecutor
    step_threads: ThreadPoolExecutor
    leak: Callable[[str], None]


@dataclass(frozen=True)
class Verdict:
    """Why the driving of a run ends; the first one counts. `transition` is None where nothing is left to write."""

    outcome: Outcome
    transition: Callable[[], Transition] | None = None


class Execution:
    """Drives one claimed run. All methods are called in the driving loop, unless they say otherwise."""

    def __init__(self, run: Run, world: World) -> None:
        self.run = run
        self.run_id = run.id
        self.token = run.lease_token
        self.world = world
        self.sealed = False
        self.history = History()
        self.mailbox = Mailbox(run.inbox, self._read_mail)
        self._waiting = Waiting(self, self.mailbox)
        self._notes = Notes(run, self.check_open, self.post)
        self.is_cautious = run.claims > 1
        self._handle = Handle(run.id, run.lease_token, run.write_no)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._bridge: Bridge | None = None

    @property
    def frames(self) -> FrameSink:
        return self.world.frames

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
                self.history = await self.in_thread(load_history, self.run)
            root = self._start_root(job, value)
        except JobNotFound as exc:
            self.decide(Verdict(Outcome.PAUSED, partial(ends.pause, "job_not_found", exc)))
        except (DatabaseError, InterfaceError) as exc:
            logger.warning("Run %s: its history cannot be read now: %s", self.run_id, exc)
            self.decide(Verdict(Outcome.RELEASED, ends.release))
        except Exception as exc:
            self.decide(self._failure(exc))
        outcome = await self._carry_out(await self._verdict)
        await self._dismantle(root)
        return outcome

    def _start_root(self, job: Job, value: Any) -> "asyncio.Future[Any]":
        context = self._context.copy()
        context.run(enter, Branch("0", self.adopt))
        step = StepContext(self.run, Policy(job.retries), self, self.perform, self._notes, RunState(self._notes))
        arguments = (value,) if job.input_adapter is not None else ()
        if job.is_async:
            root: asyncio.Future[Any] = asyncio.Task(
                ends.body(job.function, step, *arguments), loop=self._loop, context=context
            )
        else:
            self._bridge = Bridge(self._loop, self.adopt)
            blocking = SyncStepContext(step, self._bridge)
            root = call_in(self.world.job_threads, context.run, job.function, blocking, *arguments)
        root.add_done_callback(lambda done: self._root_ended(job, done), context=self._context)
        self._watch_time(job)
        return root

    def _root_ended(self, job: Job, root: "asyncio.Future[Any]") -> None:
        error = asyncio.CancelledError() if root.cancelled() else root.exception()
        if self._verdict.done():
            return
        if error is not None:
            self.decide(self._failure(error))
        elif missing := self.history.unasked():
            self.diverge(NondeterminismError(missing.place, "the end of the job"))
        else:
            self.decide(Verdict(Outcome.ENDED, lambda: ends.complete(self.run, job, root.result(), self._opened())))

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
        self._waiting.leave_by(lambda: self.decide(Verdict(Outcome.RELEASED, ends.release)))

    def pause(self) -> None:
        """An operator holds the run: running steps end first, no other begins."""
        self._waiting.leave_by(lambda: self.decide(Verdict(Outcome.PAUSED, ends.hold)))

    def unloaded(self) -> None:
        self.decide(Verdict(Outcome.WAITING))

    def see(self, look: Look) -> None:
        """What the run's row says now: something arrived, or an operator wants it paused."""
        if look.inbox != self.mailbox.inbox:
            self.mailbox.mark_stale()
            self._waiting.wake()
        if look.pause_wanted:
            self.pause()

    async def _read_mail(self, after: int) -> Mail:
        mail: Mail = await self.in_thread(read_mail, self.run_id, after)
        return mail

    def _opened(self) -> list[Transition]:
        """Steps that the end of the run finds at work, or between two attempts."""
        between = [wait.step for wait in self._waiting.load.parked.values() if wait.step is not None]
        return [step.cancellation() for step in [*self._waiting.load.open.values(), *between]]

    def _seal(self) -> None:
        self.sealed = True
        for step in self._waiting.load.open.values():
            step.attempt.stop()
        self._waiting.stop()

    async def _carry_out(self, verdict: Verdict) -> Outcome:
        if verdict.transition is None:
            return verdict.outcome
        answer = await self.submit(verdict.transition())
        if isinstance(answer, Exception):
            logger.error("Run %s: its end cannot be stored: %s", self.run_id, answer)
            problem = answer
            answer = await self.submit(ends.fail(problem, self._opened()))
        return verdict.outcome if answer is Result.DONE else Outcome.LOST

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

    # -- what steps call

    async def perform(self, call: StepCall) -> Any:
        """One `step.*` call of the job's code that calls a function."""
        return await Performance(self, call, self.meet(call.name, call.kind)).result()

    def meet(self, name: str, kind: str) -> StepRecord:
        """The record of the step that the running branch asks for now."""
        self.check_open()
        branch = current_branch()
        if branch is None:
            raise StepOutsideJob(str(name))
        try:
            return self.history.meet(branch, check_name(name), kind)
        except NondeterminismError as exc:
            self.diverge(exc)
            raise Suspended from exc

    def excuse_branches(self, count: int) -> None:
        branch = current_branch()
        assert branch is not None
        for path in branch.skip_children(count):
            self.history.excuse(path)

    async def in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        return await call_in(self.world.step_threads, function, *args)

    async def park(
        self, until: datetime | None, reason: str, step: OpenStep | None = None, on_mail: bool = False
    ) -> None:
        await self._waiting.park(until, reason, step, on_mail)

    async def hold(self) -> None:
        await self._waiting.hold()

    async def gate(self) -> None:
        await self._waiting.gate()

    def check_open(self) -> None:
        if self.sealed:
            raise Suspended

    def begin(self, step: OpenStep) -> None:
        self._waiting.load.open[step.call.name] = step
        step.open_frames()
        self._waiting.settle()

    def end(self, step: OpenStep) -> None:
        if not self.sealed:
            self._waiting.load.open.pop(step.call.name, None)
            if not self._waiting.load.open:
                give_back_connections(self._query_thread)
            self._waiting.settle()

    def post(self, transition: Transition) -> None:
        """Write without waiting; any thread."""
        self.world.writer.post(self._handle, transition)

    async def commit(self, transition: Transition, *, finish: bool = False) -> Exception | None:
        """Write and wait; the error of a value that cannot be stored. Raises Suspended when the lease is lost.

        A cancellation by the job's own code waits for the write and goes on then (`finish`: even a second one).
        """
        self._waiting.load.writes += 1
        try:
            answer, cancelled = await self._outlast(self.submit(transition))
        finally:
            self._waiting.load.writes -= 1
            self._waiting.settle()
        if cancelled and not finish:
            raise asyncio.CancelledError
        if answer is Result.LOST:
            self.lose()
            raise Suspended
        if answer is Result.INBOX:
            self.mailbox.mark_stale()
            return MailArrived()
        return answer if isinstance(answer, Exception) else None

    def submit(self, transition: Transition) -> "asyncio.Future[Any]":
        """Queue a write; the future gives its Result, or the error of a bad value."""
        return self.world.writer.submit(self._handle, transition)

    async def _outlast(self, waiter: "asyncio.Future[Any]") -> tuple[Any, bool]:
        cancelled = False
        while not waiter.done():
            try:
                await asyncio.shield(waiter)
            except asyncio.CancelledError:
                if self.sealed:
                    raise
                cancelled = True
        return waiter.result(), cancelled

    def submit_to_thread(self, function: Callable[[], Any]) -> "concurrent.futures.Future[Any]":
        """A sync job's steps run in its own thread, those of an async job in the pool."""
        return self._bridge.submit(function) if self._bridge else self.world.step_threads.submit(function)

    async def in_transaction(
        self, function: Callable[[], Any], where: str, ending: Callable[[Payload], Transition]
    ) -> Any:
        """While the function runs, the run's other transitions queue behind it."""
        await asyncio.shield(self.world.writer.hold(self._handle))
        future = self.submit_to_thread(lambda: call_and_record(self._handle, function, where, ending))
        future.add_done_callback(lambda _: self.world.writer.release(self._handle))
        try:
            return await asyncio.wrap_future(future)
        except Suspended:
            self.lose()
            raise

    def watch_thread(self, future: "concurrent.futures.Future[Any]", step: str) -> None:
        watch_thread(self._loop, future, f"Step {step!r} of run {self.run_id}", self.world.leak)

    def call_later(self, seconds: float, function: Callable[..., object], *args: Any) -> asyncio.TimerHandle:
        """A timer outside every branch; it does nothing once the run has left this process."""
        return self._loop.call_later(seconds, self._fire, function, args, context=self._context)

    def _fire(self, function: Callable[..., object], args: tuple[Any, ...]) -> None:
        if not self.sealed:
            function(*args)

    def adopt(self, task: "asyncio.Task[Any]") -> None:
        """Remember a task of the job's code, to end it with the run."""
        self._tasks.add(task)
        task.add_done_callback(self._task_ended, context=self._context)

    def _task_ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if self.sealed and not task.cancelled():
            task.exception()  # retrieved: what a sealed context raises is nobody's error
