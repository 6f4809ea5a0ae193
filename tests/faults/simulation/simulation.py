"""One simulation: some workers, some runs and what goes wrong, all of it from one seed."""

import asyncio
import gc
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any
from unittest.mock import patch
from uuid import UUID

from django.db import OperationalError, transaction

from runs.definitions import registry
from runs.engine.branches import prepare
from runs.engine.claim import Claim, claim, next_due_at
from runs.engine.store.commit import commit
from runs.engine.store.transitions import Entry, Written
from tests.faults.simulation.database import MemoryDatabase
from tests.faults.simulation.died import Died
from tests.faults.simulation.faults import DrawnFaults, Faults, Moment
from tests.faults.simulation.interpreter import Outside, register
from tests.faults.simulation.loop import Process, SimulatedLoop, context_of, current_process
from tests.faults.simulation.oracles import find_wrong
from tests.faults.simulation.people import RUNS, People
from tests.faults.simulation.substitutes import substituted
from tests.faults.simulation.trace import Trace, TracedLog
from tests.faults.simulation.worker import Worker


@dataclass(frozen=True)
class Report:
    """What came of a seed. Two simulations of one seed have the same digest."""

    seed: int
    faults: str
    wrong: list[str]
    digest: str
    seconds: float  # of its own time
    counts: dict[str, int]
    lines: list[str]
    turns: int  # of the first worker process
    calls: int  # of the database that it made


def simulate(
    seed: int, database: MemoryDatabase, faults: Faults | None = None, *, runs: int = RUNS, echo: bool = False
) -> Report:
    """One simulation from its beginning to its end, and nothing left of it."""
    with _quiet():
        return Simulation(seed, database, faults, runs, echo).run()


class Simulation:
    """Everything around the workers."""

    def __init__(self, seed: int, database: MemoryDatabase, faults: Faults | None, runs: int, echo: bool) -> None:
        self.seed, self._database = seed, database
        self.random = Random(f"order {seed}")
        self.faults = faults or DrawnFaults(Random(f"faults {seed}"))
        self.loop = SimulatedLoop(Random(f"turns {seed}"), self._before_turn)
        self.trace = Trace(self.loop.time, echo)
        self.unload_after = Random(f"unload {seed}").choice((0.0, 0.05, 1.0))
        self._outside = Outside()
        self._people = People(Random(f"people {seed}"), self.trace, self._outside, runs)
        self._workers: list[Worker] = []
        self._wrong: list[str] = []
        self.counts = {"deaths": 0, "freezes": 0, "lost connections": 0, "leases ended": 0, "stops": 0}

    def run(self) -> Report:
        with self._surroundings():
            self.loop.run_until_complete(self._main())
            self._wrong += find_wrong(self._people, self._outside)
            self._wrong += self.loop.complaints
        first = self._workers[0].process
        return Report(
            self.seed, str(self.faults), list(self._wrong), self.trace.digest, self.loop.time(), self.counts,
            self.trace.lines, first.turns, first.commits,
        )  # fmt: skip

    @contextmanager
    def _surroundings(self) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(substituted(self.seed, self.loop.time, self.rings))
            stack.enter_context(self._database.as_new())
            stack.enter_context(registry.restored())
            stack.enter_context(_logging_to(TracedLog(self.trace)))
            stack.callback(self._leave)
            prepare(self.loop)
            register(self._outside)
            yield

    def _leave(self) -> None:
        for task in asyncio.all_tasks(self.loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        self.loop.close()

    async def _main(self) -> None:
        for _ in range(Random(f"workers {self.seed}").choice((1, 2, 3))):
            self._begin_worker()
        troubles = asyncio.create_task(self._trouble())
        await self._people.storm()
        self.faults.calm_down()
        troubles.cancel()
        self.trace.say("world", "calm")
        if not await self._people.calm():
            self._wrong.append("not everything came to its end")

    async def _trouble(self) -> None:
        while True:
            await asyncio.sleep(1)
            if self.faults.ends_lease():
                self.counts["leases ended"] += 1
                self._people.end_a_lease()
            if self.faults.stops() and (alive := [one for one in self._workers if not one.process.is_dead]):
                self.counts["stops"] += 1
                worker = self.random.choice(alive)
                self.trace.say(worker.process, "is told to stop")
                worker.stop()

    # -- processes

    def _begin_worker(self) -> None:
        process = Process(f"w{len(self._workers) + 1}")
        self.loop.processes.append(process)
        worker = Worker(process, self)
        self._workers.append(worker)
        self.trace.say(process, "begins")
        task = self.loop.create_task(worker.run(), context=context_of(process))
        task.add_done_callback(lambda done: self._worker_ended(process, done), context=context_of(self.loop.world))

    def _worker_ended(self, process: Process, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception() is not None:
            self.failed(process, f"its main task failed: {task.exception()!r}")

    def _before_turn(self, process: Process) -> None:
        self.trace.count(f"{process} {self.loop.time():.6f}")
        if process is self.loop.world:
            return
        fate, seconds = self.faults.at_turn(process)
        if fate == "kill":
            self.kill(process, f"dies before its turn {process.turns}")
        elif seconds:
            self.counts["freezes"] += 1
            process.frozen_until = self.loop.time() + seconds
            self.trace.say(process, f"stands still for {seconds} s")

    def kill(self, process: Process, what: str) -> None:
        self.counts["deaths"] += 1
        self.trace.say(process, what)
        self._bury(process)

    def _bury(self, process: Process) -> None:
        process.is_dead = True
        process.is_seen = self.faults.is_seen()  # type: ignore[attr-defined]
        self.loop.call_later(
            self.random.choice((0.2, 1.0, 4.0)), self._begin_worker, context=context_of(self.loop.world)
        )

    def end(self, process: Process) -> None:
        """The process is over by its own will; another takes its place."""
        if not process.is_dead:
            self.trace.say(process, "ends")
            self._bury(process)

    def failed(self, process: Process, what: str) -> None:
        if not process.is_dead:
            self._wrong.append(f"{process}: {what}")
            self.trace.say(process, what)

    def lives(self, pid: int, name: str) -> bool:
        """Of a process of this host, as its neighbours see it."""
        process = next(one for one in self.loop.processes if one.name == name)
        return not (process.is_dead and getattr(process, "is_seen", True))

    # -- calls of the database

    def guard(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        process = self._meet("before")
        result = _found_nothing(fn, args) if self._database.is_idle_call(fn.__name__) else fn(*args)
        self._meet("after", process)
        return result

    def commit(self, entries: list[Entry]) -> dict[UUID, Written]:
        """How every writer's transitions reach the database."""
        process = self._meet("before")
        if not transaction.get_connection().in_atomic_block and (delay := self.faults.comes_late()):
            self._come_late(process, entries, delay)
        self._slip_in(entries)
        written = commit(entries)
        # a transactional step's function is in the same transaction: with its commit, not before
        transaction.on_commit(lambda: self._committed(process, entries, written))
        return written

    def _committed(self, process: Process, entries: list[Entry], written: dict[UUID, Written]) -> None:
        self._say_written(process, entries, written)
        self._meet("after", process)

    def _say_written(self, process: Process, entries: list[Entry], written: dict[UUID, Written]) -> None:
        for entry in entries:
            events = " ".join(f"{row.type}({row.step})" if row.step else row.type for row in entry.event_rows())
            result = written[entry.run_id].result.value
            self.trace.say(process, f"{result} {entry.run_id.hex[-4:]} t{entry.token} w{entry.write_no} {events}")

    def _slip_in(self, entries: list[Entry]) -> None:
        for entry in entries:
            if entry.change.expect_inbox is not None and self.faults.slips_in():
                self._people.slip_in(entry.run_id)

    def _come_late(self, process: Process, entries: list[Entry], delay: float) -> None:
        """The server is still at work when the connection is gone."""
        self.counts["lost connections"] += 1
        self.trace.say(process, f"loses its connection, and its batch comes through in {delay} s")
        self.loop.call_later(delay, self._arrive, entries, context=context_of(self.loop.world))
        raise OperationalError("database is locked")

    def _arrive(self, entries: list[Entry]) -> None:
        self._say_written(self.loop.world, entries, commit(entries))

    def _meet(self, moment: Moment, process: Process | None = None) -> Process:
        """A fault beside a call of the database, if there is one."""
        process = process or current_process()
        assert process is not None
        if process.is_dead:
            raise Died
        process.commits += moment == "before"
        fate = self.faults.at_commit(process, moment)
        if fate == "kill":
            self.kill(process, f"dies {moment} its call {process.commits}")
            raise Died
        if fate == "lost":
            self.counts["lost connections"] += 1
            self.trace.say(process, f"loses its connection {moment} its call {process.commits}")
            raise OperationalError("database is locked")
        return process

    def is_busy(self, run_id: UUID) -> bool:
        return self.faults.is_busy()

    # -- doorbells

    def rings(self, run_ids: Any, *, only_mail: bool = False) -> None:
        self._ring(list(run_ids), only_mail)

    def committed(self, committed: dict[UUID, int]) -> None:
        """On SQLite every commit is a change that others see."""
        self._ring(None)

    def _ring(self, run_ids: list[UUID] | None, only_mail: bool = False) -> None:
        for worker in self._workers:
            if not worker.process.is_dead:
                for seconds in self.faults.bells():
                    self.loop.call_later(seconds, worker.hear, run_ids, only_mail, context=context_of(worker.process))


def _found_nothing(fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    return Claim([], next_due_at(args[1])) if fn is claim else 0


@contextmanager
def _quiet() -> Iterator[None]:
    """What the dead leave behind is collected at the end, and says nothing: their code must not run meanwhile."""
    gc.disable()
    try:
        yield
    finally:
        logging.disable(logging.CRITICAL)
        with warnings.catch_warnings(), patch("sys.unraisablehook", lambda _: None):
            warnings.simplefilter("ignore")
            gc.enable()
            gc.collect()
        logging.disable(logging.NOTSET)


@contextmanager
def _logging_to(handler: logging.Handler) -> Iterator[None]:
    logger = logging.getLogger("runs")
    before, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = before
