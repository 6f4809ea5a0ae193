"""A simulated worker process: the loops of the real one, on threads, bells and a lease of the simulation."""

import asyncio
import logging
from collections.abc import Callable
from random import Random
from typing import Any, Protocol
from uuid import UUID

from django.db import DatabaseError

from runs.conf import get_settings
from runs.definitions import registry
from runs.engine import leases, threads
from runs.engine.execute import Execution, World
from runs.engine.ports import NoFrames
from runs.engine.store.commit import Commit
from runs.models import Run
from runs.models import Worker as Row
from runs.worker.claims import Claims
from runs.worker.lease import Lease
from runs.worker.loaded import Loaded, Watch
from runs.worker.sweeps import Sweeps
from tests.faults.simulation.driving import drive_under
from tests.faults.simulation.loop import Process, SimulatedLoop
from tests.faults.simulation.threads import Database, Threads
from tests.faults.simulation.writer import SimulatedWriter

log = logging.getLogger("simulation")

NEIGHBOURS_SECONDS = 0.5


class Around(Protocol):
    """What a process has around it."""

    loop: SimulatedLoop
    random: Random
    unload_after: float
    commit: Commit

    def guard(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """A call of the database, or what a fault makes of it."""

    def is_busy(self, run_id: UUID) -> bool: ...
    def committed(self, committed: dict[UUID, int]) -> None: ...
    def rings(self, run_ids: list[UUID], *, only_mail: bool = False) -> None: ...
    def lives(self, pid: int, name: str) -> bool: ...
    def failed(self, process: Process, what: str) -> None:
        """Something happened that no fault explains."""

    def end(self, process: Process) -> None:
        """The process is over, and another one takes its place."""


class Worker:
    """Runs as tasks of one loop, in the context of its process; all of it is gone when that dies."""

    def __init__(self, process: Process, around: Around) -> None:
        self.process, self._around = process, around
        self._loaded: Loaded | None = None
        self._stopping = asyncio.Event()
        plain = self._threads(lambda fn, args: fn(*args))
        self._database = Database(self._threads(around.guard))
        self._lease_database = Database(self._threads(around.guard))
        self._looks = Database(self._threads(around.guard))
        self._step_threads, self._reads, self._plain = (
            self._threads(self._guard_own),
            self._threads(around.guard),
            plain,
        )

    def _threads(self, guard: Callable[[Callable[..., Any], tuple[Any, ...]], Any]) -> Threads:
        return Threads(self._around.loop, self.process, self._around.random, guard)

    def _guard_own(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Calls of the engine's own meet faults of the database; the functions of steps are the program's affair."""
        return self._around.guard(fn, args) if fn is threads._call else fn(*args)

    async def run(self) -> None:
        """Until it is told to stop; its runs are handed back then."""
        self.id = await self._register()
        self._build()
        own = [asyncio.create_task(one) for one in self._loops()]
        await self._stopping.wait()
        self._claims.close()
        await asyncio.wait(own[:1], timeout=5)
        await self.loaded.drain(get_settings().drain_seconds)
        while not self._writer.is_idle:
            await asyncio.sleep(0.01)
        for task in own:
            task.cancel()
        await self._give_up()
        self._around.end(self.process)

    async def _register(self) -> UUID:
        while True:
            try:
                return await self._database.call(self._register_now)
            except DatabaseError:
                await asyncio.sleep(1)

    def _register_now(self) -> UUID:
        leases.expire_dead(self._around.lives)
        return leases.register_worker(self.process.name, [job.key for job in registry.all()])

    async def _give_up(self) -> None:
        try:
            await self._lease_database.call(leases.give_up, self.id)
        except DatabaseError:
            return  # its lease runs out

    def _build(self) -> None:
        around, frames = self._around, NoFrames()
        self._lease = Lease(self.id, lambda: None)
        self._writer = SimulatedWriter(
            around.loop, self.process, around.random, around.commit, around.is_busy, around.committed, self._writer_died
        )
        self._world = World(
            self._writer, frames, self._plain, self._step_threads, self._leaks,  # type: ignore[arg-type]
            around.unload_after, lambda: self._lease.holds, self._reads,  # type: ignore[arg-type]
        )  # fmt: skip
        self.loaded = Loaded(frames, self._make, self._room, self._broken)  # type: ignore[arg-type]
        self._sweeps = Sweeps(self._looks)  # type: ignore[arg-type]
        self._watch = Watch(self.loaded, self._lease, self._database)  # type: ignore[arg-type]
        self._claims = Claims(
            self.id, self._database, lambda: len(self.loaded), lambda: 32, self.loaded.begin,  # type: ignore[arg-type]
            self.loaded.claims,
        )  # fmt: skip
        self._loaded = self.loaded

    def _loops(self) -> list[Any]:
        return [self._claims.run(), self._watch.run(), self._sweeps.run(), self._keep_lease()]

    def _make(self, run: Run) -> Execution:
        drive_under(run.id, run.lease_token)
        return Execution(run, self._world)

    async def _keep_lease(self) -> None:
        every = get_settings().renew_seconds
        due = self._around.loop.time() + every
        while True:
            await asyncio.sleep(NEIGHBOURS_SECONDS)
            try:
                if self._around.loop.time() >= due:
                    due = self._around.loop.time() + every
                    if not await self._lease_database.call(self._renew):
                        return self._around.end(self.process)
                if await self._lease_database.call(leases.expire_dead, self._around.lives):
                    self._claims.ring()
            except DatabaseError:
                continue

    def _renew(self) -> bool:
        """As the lease's own thread does, which would end this process, and all that it simulates, for a row gone."""
        if not Row.objects.filter(id=self.id).exists():
            return False
        self._lease._renew()
        return True

    # -- what happens to it

    def stop(self) -> None:
        """As SIGTERM does. Called from outside of the process."""
        self._stopping.set()

    def hear(self, run_ids: list[UUID] | None, only_mail: bool) -> None:
        """A doorbell."""
        if self._loaded is None:
            return
        if only_mail:
            self._loaded.hear(run_ids or [])
            return
        if run_ids is None:
            self._claims.ring_vaguely()
        else:
            self._claims.ring()
        self._watch.ring(run_ids)

    def _room(self, left: Run) -> None:
        self._claims.ring()
        if left.parent_id is not None:
            self._sweeps.ring()

    def _broken(self) -> None:
        self._around.failed(self.process, "the kernel itself failed")
        self.stop()

    def _leaks(self, what: str) -> None:
        log.info("%s", what)
        self.stop()

    def _writer_died(self, error: BaseException) -> None:
        self._around.failed(self.process, f"the writer died: {error!r}")
        self._around.end(self.process)
