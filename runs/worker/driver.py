"""A permanent driver: an event loop that claims runs and drives many of them in one process."""

import asyncio
import logging
import os
import resource
import signal
from collections.abc import Coroutine
from contextlib import suppress
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final
from uuid import UUID

from django.db import DatabaseError, InterfaceError

from runs import clock
from runs.conf import get_settings
from runs.definitions import registry
from runs.engine import leases
from runs.engine.branches import prepare
from runs.engine.execute import Execution, World
from runs.engine.outages import describe
from runs.engine.writer import Writer
from runs.events import doorbell
from runs.events.bus import Bus, make_bus
from runs.events.doorbell import Doorbell
from runs.models import Run
from runs.worker.board import Board
from runs.worker.broker import drivers
from runs.worker.chores import Chores
from runs.worker.claims import Claims
from runs.worker.firing import Firing
from runs.worker.frames import Frames
from runs.worker.lease import Lease
from runs.worker.loaded import Loaded, Watch
from runs.worker.pids import is_alive, start_time
from runs.worker.sweeps import Sweeps
from runs.worker.threads import CodePool, DatabaseThread, ReadPool
from runs.worker.turns import STAND_BACK_SECONDS, is_turn

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 0.1
MEMORY_SECONDS: Final = 5.0
DEAD_EXIT_CODE: Final = 70


class Ending(Enum):
    """Why a driver stopped."""

    STOP = "the cluster stops"
    TERMINATE = "it was told to end"
    REPLACED = "another process has its slot"
    MEMORY = "it has grown past RUNS_WORKER_MAX_RSS_MIB"
    LEAK = "job code does not end"
    BROKEN = "a part of it failed"


class Driver:
    """Everything of one driving process; made inside its event loop, long after the fork."""

    def __init__(self, slot: int, board: Board) -> None:
        self._slot, self._board = slot, board
        self._loop = asyncio.get_running_loop()
        prepare(self._loop)
        self._ending: asyncio.Future[Ending] = self._loop.create_future()
        settings = get_settings()
        self._job_threads = CodePool(settings.threads, "runs-job")
        self._step_threads = CodePool(settings.threads, "runs-step")
        self._database = DatabaseThread("runs-claims")
        self._looks = DatabaseThread("runs-looks")  # nobody who waits for a claim or a signal waits for a sweep
        self._reads = ReadPool(2, "runs-reads")
        self._memory_checked = 0.0
        self._own: list[asyncio.Task[None]] = []

    async def drive(self) -> Ending:
        """Until it has to stop; its runs are handed back then, and its row of workers is gone."""
        self._loop.add_signal_handler(signal.SIGTERM, self._end, Ending.TERMINATE)
        ticking = asyncio.create_task(self._tick_until_lease())
        worker = await self._register()
        if worker is None:
            ticking.cancel()
            return await self._ending
        self._build(worker)
        ticking.cancel()
        try:
            return await self._work()
        finally:
            await self._leave(worker)

    # ------------------------------------------------------------------------------------------------- beginning
    async def _register(self) -> UUID | None:
        """A row of workers, as soon as the database answers; None if the driver has to stop before."""
        said = False
        while not self._ending.done():
            try:
                worker = await self._database.call(_register)
            except (DatabaseError, InterfaceError) as exc:
                if not said:
                    log.error("Runs are not driven yet, because of the database: %s. It is tried again.", describe(exc))
                said = True
                await asyncio.wait([self._ending], timeout=1)
            else:
                return worker
        return None

    def _build(self, worker: UUID) -> None:
        self._lease = Lease(worker, self._found_dead)
        self._bus: Bus = make_bus()
        self._frames = Frames(self._bus, self._lease)
        self._writer = Writer(self._frames.ring, _writer_died)
        world = World(
            self._writer, self._frames, self._job_threads, self._step_threads, self._leaks,
            holds_lease=lambda: self._lease.holds, reads=self._reads,
        )  # fmt: skip
        self._loaded = Loaded(self._frames, lambda run: Execution(run, world), self._room, self._broken)
        self._sweeps = Sweeps(self._looks)
        self._chores = Chores()
        self._watch = Watch(self._loaded, self._lease, self._database)
        self._claims = Claims(
            worker, self._database, self._load, self._free_threads, self._loaded.begin, self._loaded.claims
        )  # fmt: skip
        self._firing = Firing(self._looks, self._claims.ring)

    async def _work(self) -> Ending:
        self._lease.start()
        self._writer.start()
        self._chores.start()
        await self._listen()
        log.info("Driver %d drives runs (pid %d, %d jobs).", self._slot, os.getpid(), len(registry.all()))
        async with Doorbell(self._rung, on_mail=self._loaded.hear):
            await self._until_ending()
            ending = self._ending.result()
            log.info("Driver %d stops with %d runs: %s.", self._slot, len(self._loaded), ending.value)
            self._claims.close()
            await asyncio.wait([self._claiming], timeout=5)
            await self._loaded.drain(get_settings().drain_seconds)
        return ending

    async def _listen(self) -> None:
        try:
            await self._frames.start()
        except Exception:
            log.exception("The live bus does not answer: runs are driven, and followers read from the log.")

    async def _until_ending(self) -> None:
        self._claiming = asyncio.create_task(self._claims.run(), name="claims")
        loops = (self._watch.run(), self._tick(), self._sweeps.run(), self._firing.run())
        own = [self._claiming, *(asyncio.create_task(loop) for loop in loops)]
        self._own = own
        ends: list[asyncio.Future[Any]] = [self._ending, *own]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in own:
            if task.done() and not task.cancelled() and task.exception() is not None:
                log.error("A loop of driver %d failed.", self._slot, exc_info=task.exception())
        self._end(Ending.BROKEN)

    # ---------------------------------------------------------------------------------------------------- ending
    def _end(self, ending: Ending) -> None:
        """The first reason counts."""
        if not self._ending.done():
            self._ending.set_result(ending)

    async def _leave(self, worker: UUID) -> None:
        """The lease goes last: until the writer has written everything, the runs must be ours."""
        self._chores.stop()
        await _within(5, self._frames.stop())
        await _within(10, asyncio.to_thread(self._writer.stop))
        for task in self._own:
            task.cancel()
        await asyncio.gather(*self._own, return_exceptions=True)
        await _within(5, asyncio.to_thread(self._lease.stop))
        with suppress(DatabaseError, InterfaceError):
            await _within(5, self._database.call(leases.give_up, worker))
        await _within(5, self._bus.close())
        await _within(5, asyncio.to_thread(doorbell.hang_up))  # what was handed back is still being announced
        for thread in (self._database, self._looks):
            await _within(2, thread.stop())
        self._reads.close()

    # ----------------------------------------------------------------------------------------- what happens to it
    def _load(self) -> int:
        return len(self._loaded)

    def _free_threads(self) -> int:
        return min(self._job_threads.free, get_settings().threads - self._loaded.sync_runs)

    def _rung(self, run_ids: list[UUID] | None) -> None:
        if run_ids is None:
            self._claims.ring_vaguely()
        elif is_turn(self._slot, drivers(), run_ids):
            self._claims.ring()
        else:
            self._loop.call_later(STAND_BACK_SECONDS, self._claims.ring)
        self._watch.ring(run_ids)

    def _room(self, left: Run) -> None:
        self._claims.ring()
        if left.parent_id is not None:  # it may have ended, and its parent waits for that
            self._sweeps.ring()

    def _broken(self) -> None:
        self._end(Ending.BROKEN)

    def _found_dead(self) -> None:
        """Called in the lease's thread: a neighbour died, its runs are due."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._claims.ring)

    def _leaks(self, what: str) -> None:
        """Any thread: code that ignores its end would hold this process for ever."""
        log.error("%s Its process is drained and replaced.", what.rstrip(".") + ".")
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._end, Ending.LEAK)

    # -------------------------------------------------------------------------------------------------- ticking
    async def _tick(self) -> None:
        while True:
            self._lease.tick()
            self._look_around()
            await asyncio.sleep(TICK_SECONDS)

    async def _tick_until_lease(self) -> None:
        while True:
            self._look_around()
            await asyncio.sleep(TICK_SECONDS)

    def _look_around(self) -> None:
        if self._board.stopping:
            self._end(Ending.STOP)
        elif self._board.slot_pid(self._slot) != os.getpid():
            self._end(Ending.REPLACED)
        elif clock.monotonic() - self._memory_checked > MEMORY_SECONDS:
            self._memory_checked = clock.monotonic()
            if _resident_mib() > get_settings().worker_max_rss_mib:
                self._end(Ending.MEMORY)


def _register() -> UUID:
    # Runs of a process that died before this one are due before the first claim.
    leases.expire_dead(is_alive)
    return leases.register_worker(start_time(os.getpid()), [job.key for job in registry.all()], _version())


def _version() -> str:
    try:
        return version("perdure")
    except PackageNotFoundError:
        return ""


def _writer_died(error: BaseException) -> None:
    """What the runs did can no longer be recorded: others must take them."""
    log.critical("Process %d ends: its writer failed with %r.", os.getpid(), error)
    os._exit(DEAD_EXIT_CODE)


async def _within(seconds: float, work: Coroutine[Any, Any, Any]) -> None:
    """An end must not wait for ever for one of its parts."""
    try:
        async with asyncio.timeout(seconds):
            await work
    except TimeoutError:
        log.warning("A driver's part took longer than %g s to end; it is left behind.", seconds)
    except Exception:
        log.exception("A driver's part did not end cleanly.")


def _resident_mib() -> float:
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize() / 2**20
    except OSError:
        return 0.0
