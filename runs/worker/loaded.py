"""The runs that this process drives, and the watch that learns when one is lost or was sent something."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import DatabaseError, InterfaceError

from runs.definitions import registry
from runs.engine.execute import Execution, Outcome
from runs.engine.watch import Look, fetch_leases
from runs.events import doorbell
from runs.models import Run
from runs.worker.frames import Frames
from runs.worker.lease import Lease
from runs.worker.threads import DatabaseThread

log = logging.getLogger(__name__)

WATCH_SECONDS: Final = 1.0


@dataclass(eq=False, slots=True)
class Driven:
    """One execution, its task, and the inbox as last seen."""

    execution: Execution
    task: "asyncio.Task[None]"
    inbox: int
    is_async: bool


class Loaded:
    """Executions by run and epoch: a run can come back while its former execution is still being unloaded."""

    def __init__(
        self,
        frames: Frames,
        make: Callable[[Run], Execution],
        on_room: Callable[[Run], None],
        on_broken: Callable[[], None],
    ) -> None:
        """`on_room(run)`: the run has left this process. `on_broken()`: the kernel itself failed, and only the end of
        this process's lease frees its run."""
        self._frames, self._make, self._on_room, self._on_broken = frames, make, on_room, on_broken
        self._driven: dict[tuple[UUID, int], Driven] = {}
        self._draining = False

    def __len__(self) -> int:
        return len(self._driven)

    @property
    def sync_runs(self) -> int:
        """How many of them need a thread for their job."""
        return sum(not driven.is_async for driven in self._driven.values())

    def claims(self) -> set[tuple[UUID, int]]:
        """The runs that are driven here, with their tokens."""
        return set(self._driven)

    def begin(self, run: Run) -> None:
        """Drive a claimed run."""
        execution = self._make(run)
        task = asyncio.create_task(self._drive(execution), name=f"run {run.id}")
        is_async = registry.get(run.job, run.job_version).is_async
        self._driven[run.id, run.lease_token] = Driven(execution, task, run.inbox, is_async)
        if self._draining:
            asyncio.get_running_loop().call_soon(execution.drain)  # once its task has begun

    async def _drive(self, execution: Execution) -> None:
        outcome = None
        try:
            outcome = await execution.drive()
        except Exception:
            log.exception("Driving run %s failed. This process is drained; another takes the run.", execution.run_id)
            self._on_broken()
            execution.lose()
        finally:
            self._driven.pop((execution.run_id, execution.token), None)
            self._on_room(execution.run)
        if outcome in (Outcome.LOST, None):
            self._silence(execution.run_id)
        if outcome is Outcome.RELEASED:
            doorbell.ring([execution.run_id])

    # ------------------------------------------------------------------------------------------------ the watch
    def hear(self, run_ids: Iterable[UUID]) -> set[UUID]:
        """These runs changed: those that are loaded look for mail; which they are."""
        wanted, found = set(run_ids), set()
        for (run_id, _), driven in list(self._driven.items()):
            if run_id in wanted:
                found.add(run_id)
                driven.execution.hear()
        return found

    def run_ids(self) -> list[UUID]:
        return [run_id for run_id, _ in self._driven]

    def compare(self, asked: Iterable[UUID], leases: dict[UUID, Look]) -> None:
        """Let go of runs whose token has changed or that are gone; wake those whose inbox has grown."""
        asked = set(asked)
        for (run_id, token), driven in list(self._driven.items()):
            if run_id not in asked:
                continue
            look = leases.get(run_id)
            if look is None or look.token > token:
                driven.execution.lose()
                self._silence(run_id, but=look.token if look else None)
            else:
                driven.execution.see(look)

    def _silence(self, run_id: UUID, but: int | None = None) -> None:
        """Nothing more is sent of the run, unless it has come back to this process."""
        others = [token for found, token in self._driven if found == run_id]
        if but not in others:
            self._frames.drop_run(run_id)

    # -------------------------------------------------------------------------------------------------- the end
    async def drain(self, seconds: float) -> bool:
        """Hand every run back at its next step boundary; after `seconds` let go of the rest. True if all were."""
        self._draining = True
        for driven in list(self._driven.values()):
            driven.execution.drain()
        await self._ended(seconds)
        rest = list(self._driven.values())
        for driven in rest:
            driven.execution.lose()
        await self._ended(2.0)
        return not rest

    async def _ended(self, seconds: float) -> None:
        if tasks := [driven.task for driven in self._driven.values()]:
            await asyncio.wait(tasks, timeout=seconds)


class Watch:
    """Looks once a second, and at a doorbell, whether the loaded runs still belong to this process."""

    def __init__(self, loaded: Loaded, lease: Lease, database: DatabaseThread) -> None:
        self._loaded, self._lease, self._database = loaded, lease, database
        self._bell = asyncio.Event()
        self._rung: set[UUID] = set()
        self._all_at = 0.0

    def ring(self, run_ids: Iterable[UUID] | None) -> None:
        """These runs changed; None: any may have."""
        if run_ids is None:
            self._all_at = 0.0
        else:
            self._rung |= self._loaded.hear(run_ids)
        if run_ids is None or self._rung:
            self._bell.set()

    async def run(self) -> None:
        while True:
            self._bell.clear()
            with suppress(DatabaseError, InterfaceError):
                await self._look()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(self._all_at - asyncio.get_running_loop().time(), 0)):
                    await self._bell.wait()

    async def _look(self) -> None:
        rung, self._rung = self._rung, set()
        if asyncio.get_running_loop().time() >= self._all_at:
            self._all_at = asyncio.get_running_loop().time() + WATCH_SECONDS
            gaps = self._lease.gaps
            await self._compare(self._loaded.run_ids())
            self._lease.verified(gaps)
        else:
            await self._compare(rung)

    async def _compare(self, asked: Collection[UUID]) -> None:
        if asked:
            self._loaded.compare(asked, await self._database.call(fetch_leases, asked))
