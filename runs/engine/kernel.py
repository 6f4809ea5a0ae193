"""What a run's steps need of the execution that drives it: their records, its writes, its waits, its threads."""

import asyncio
import concurrent.futures
import logging
from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.db import DatabaseError, InterfaceError

from runs.engine import patches
from runs.engine.batches import Handle
from runs.engine.branches import Branch, OwnTimers, current_branch
from runs.engine.bridge import Bridge, current_bridge
from runs.engine.history import History, StepRecord
from runs.engine.mailbox import Mail, MailArrived, Mailbox, read_mail
from runs.engine.notes import Notes
from runs.engine.outages import describe, is_outage
from runs.engine.payload import Payload
from runs.engine.perform import check_name
from runs.engine.ports import FrameSink, OpenStep
from runs.engine.purse import SharedPurse
from runs.engine.store.transitions import Result, Transition
from runs.engine.tasks import RunTasks
from runs.engine.threads import call_in, give_back_connections, watch_thread
from runs.engine.transactional import call_and_record
from runs.engine.waiting import Waiting
from runs.engine.world import World
from runs.errors import NondeterminismError, StepNameReused, StepOutsideJob, Suspended
from runs.models import Run


class LastingWrite(asyncio.Future[Any]):
    """A write that is waited for to its end: who cancels the waiting task gets his CancelledError after it.

    `asyncio.shield` does that too, with two more futures' callbacks for each step. A sealed run waits no longer.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, is_sealed: Callable[[], bool]) -> None:
        super().__init__(loop=loop)
        self._is_sealed = is_sealed

    def cancel(self, msg: Any = None) -> bool:
        return self._is_sealed() and super().cancel(msg)


logger = logging.getLogger("runs.engine")

_OUTAGE_SECONDS, _LEASE_SECONDS = 0.5, 0.05


class RunKernel(RunTasks):
    """One claimed run, as its steps see it (`ports.Kernel`). All methods are called in the driving loop, unless they
    say otherwise."""

    _query_thread: ThreadSensitiveContext

    def __init__(self, run: Run, world: World) -> None:
        super().__init__()
        self.run = run
        self.run_id = run.id
        self.token = run.lease_token
        self.world = world
        self.sealed = False
        self.artifact_versions: dict[str, int] = {}
        self.history = History()
        self._old_roads: set[str] = set()
        self.timers = OwnTimers()
        self.mailbox = Mailbox(run.inbox, self._read_mail, self._mail_came)
        self._waiting = Waiting(self, self.mailbox, world.unload_after)
        self._notes = Notes(run, self.check_open, self.post)
        self.is_cautious = run.claims > 1
        self._handle = Handle(run.id, run.lease_token, run.write_no)
        self._bridge: Bridge | None = None
        self.purse = SharedPurse(self, run) if run.budget_of is not None else None
        self._is_draining = self._is_pausing = False

    @property
    def frames(self) -> FrameSink:
        return self.world.frames

    @abstractmethod
    def lose(self) -> None:
        """The lease is gone: write and send nothing more."""

    @abstractmethod
    def diverge(self, error: NondeterminismError) -> None:
        """The code does not match the history."""

    @abstractmethod
    def refuse_timer(self, seconds: float) -> None:
        """The job's own code has set a timer for so long around a durable wait."""

    @property
    @abstractmethod
    def needs_to_stay(self) -> bool:
        """Whether something of the run is to be done that no wait holds."""

    @abstractmethod
    def unloaded(self) -> None:
        """The commit of a wait is done: the run leaves memory."""

    def meet(self, name: str, kind: str) -> StepRecord:
        """The record of the step that the running branch asks for now."""
        self.check_open()
        branch = current_branch()
        if branch is None:
            raise StepOutsideJob(str(name))
        try:
            qualified = branch.qualified(check_name(name))
            return self.history.meet(branch, name if qualified == name else check_name(qualified), kind)
        except NondeterminismError as exc:
            self.diverge(exc)
            raise Suspended from exc

    def _mail_came(self) -> None:
        self._waiting.wake()

    def patched(self, name: str) -> bool:
        """Any thread of the job. The answer is the same whenever this branch asks again."""
        self.check_open()
        branch = current_branch()
        if branch is None:
            raise StepOutsideJob(str(name))
        marker = check_name(patches.marker_of(check_name(name), branch.path))
        if marker in self.history.by_name:
            raise StepNameReused(marker)
        if marker not in self.history.markers and marker not in self._old_roads:
            self._choose_road(marker, branch)
        return marker in self.history.markers

    def _choose_road(self, marker: str, branch: Branch) -> None:
        if self._has_passed(branch):
            self._old_roads.add(marker)
        else:
            self.history.markers.add(marker)
            self.post(patches.marking(self.run_id, marker, branch))

    def _has_passed(self, branch: Branch) -> bool:
        """Whether an earlier execution came further in this branch than this one has so far."""
        return self.history.reach.is_ahead_of(branch) or self._notes.are_ahead_of(branch)

    def next_branches(self, count: int) -> list[str]:
        branch = current_branch()
        assert branch is not None
        return branch.next_children(count)

    def last_signal_wait(self, branch: str) -> StepRecord | None:
        return self.history.last_signal_wait(branch)

    def excuse_branches(self, count: int) -> None:
        branch = current_branch()
        assert branch is not None
        for path in branch.skip_children(count):
            self.history.excuse(path)

    async def in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        """A call of the engine's own; the run stays loaded meanwhile. An outage of the database is sat out."""
        self._waiting.load.writes += 1
        try:
            while True:
                try:
                    return await self.read(function, *args)
                except (DatabaseError, InterfaceError) as exc:
                    if not is_outage(exc):
                        raise
                    self.check_open()
                    logger.warning("Run %s waits, because of the database: %s.", self.run_id, describe(exc))
                    await asyncio.sleep(_OUTAGE_SECONDS)
        finally:
            self._waiting.load.writes -= 1
            self._waiting.settle()

    def read(self, function: Callable[..., Any], *args: Any) -> "asyncio.Future[Any]":
        """Call a function of the engine's own that asks the database, where a connection is open already."""
        if self.world.reads is None:
            return call_in(self.world.step_threads, function, *args)
        return asyncio.wrap_future(self.world.reads.submit(function, *args))

    async def park(
        self, until: datetime | None, reason: str, step: OpenStep | None = None, on_mail: bool = False
    ) -> None:
        await self._waiting.park(until, reason, step, on_mail)

    async def hold(self) -> None:
        await self._waiting.hold()

    async def gate(self) -> None:
        """A process that was frozen past its lease must not call what another has recorded meanwhile."""
        await self._waiting.gate()
        while not self.world.holds_lease():
            await self.be_sure()
            await self._waiting.gate()

    async def be_sure(self) -> None:
        while not self.world.holds_lease():
            await asyncio.sleep(_LEASE_SECONDS)  # until the lease is renewed and the token looked at again
            self.check_open()

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
        self.check_open()
        self._waiting.load.writes += 1
        try:
            waiter = LastingWrite(self._loop, lambda: self.sealed)
            self.world.writer.post(self._handle, transition, waiter)
            answer, cancelled = await self._outlast(waiter)
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

    async def _outlast(self, waiter: LastingWrite) -> tuple[Any, bool]:
        cancelled = False
        while not waiter.done():
            try:
                await waiter
            except asyncio.CancelledError:
                if self.sealed:
                    raise
                cancelled = True
        return waiter.result(), cancelled

    def submit_to_thread(self, function: Callable[[], Any]) -> "concurrent.futures.Future[Any]":
        """A sync job's steps run in its own thread, those of an async job in the pool."""
        bridge = current_bridge()
        return bridge.submit(function) if bridge else self.world.step_threads.submit(function)

    async def in_transaction(
        self, function: Callable[[], tuple[Any, Payload]], ending: Callable[[Payload], Transition]
    ) -> Any:
        """While the function runs, the run's other transitions queue behind it."""
        held, release = self.world.writer.hold(self._handle), partial(self.world.writer.release, self._handle)
        try:
            await asyncio.shield(held)
        except asyncio.CancelledError:
            held.add_done_callback(lambda _: release())
            raise
        if self.sealed:
            release()
            raise Suspended
        world = self.world
        call = partial(call_and_record, self._handle, function, ending, world.writer.commit, world.holds_lease)
        future = self.submit_to_thread(call)
        future.add_done_callback(lambda _: release())
        self._waiting.load.writes += 1
        try:
            return await asyncio.wrap_future(future)
        except Suspended:
            self.lose()
            raise
        finally:
            self._waiting.load.writes -= 1

    def watch_thread(self, future: "concurrent.futures.Future[Any]", step: str) -> None:
        watch_thread(self._loop, future, f"Step {step!r} of run {self.run_id}", self.world.leak)

    async def _read_mail(self, after: int) -> Mail:
        mail: Mail = await self.in_thread(read_mail, self.run_id, after)
        return mail
