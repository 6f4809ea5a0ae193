"""The loop that takes due runs while this process has room."""

import asyncio
import logging
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import DatabaseError, InterfaceError

from runs import clock
from runs.conf import get_settings
from runs.definitions import Job, registry
from runs.engine.claim import claim, held_by
from runs.engine.outages import describe
from runs.models import Run
from runs.worker.threads import DatabaseThread

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 1.0
"""The promise when a doorbell was lost."""

YIELD_SECONDS: Final = 0.005
"""A full process waits this long before it claims, so that one with more room is first."""

TURN_SECONDS: Final = 0.001
"""No sleep of the loop is shorter: a process with one run among a hundred would wait twenty times as long as said."""

REST_SECONDS: Final = 0.05
"""A run is due by this host's clock, and not yet by the database's, which decides."""

GATHER_SECONDS: Final = 0.1
"""Between two claims on a bell that says no more than that something changed."""

ROUND_SECONDS: Final = 0.01
"""Between two claims that left room: one costs the same for one run as for many. A process that was idle waits for no
more than the first."""

UNSURE_SECONDS: Final = 60.0
"""So long after its answer was lost, a claim may yet come through on the database's side."""

Claimed = tuple[bool, datetime | None]
"""Whether there may be more, and when the next run becomes due."""


class Claims:
    """Clear the bell, then claim, then wait for the bell, the next known due time, or a second."""

    def __init__(
        self, worker: UUID, database: DatabaseThread, load: Callable[[], int], threads: Callable[[], int],
        begin: Callable[[Run], None], driven: Callable[[], Collection[tuple[UUID, int]]],
    ) -> None:  # fmt: skip
        """`load()` runs are driven; `threads()` are free for sync jobs; `begin(run)` drives a claimed run; `driven()`
        says which are, by run and token."""
        self._worker, self._database = worker, database
        self._load, self._threads, self._begin, self._driven = load, threads, begin, driven
        self._room_in_all = get_settings().concurrency
        self._bell = asyncio.Event()
        self._vague = False
        self._closed = False
        self._sync_first = False
        self._failing = False
        self._unsure_until = 0.0
        self._next_round = 0.0

    def ring(self) -> None:
        """There may be a due run, or room."""
        self._vague = False
        self._bell.set()

    def ring_vaguely(self) -> None:
        """Something in the database changed: worth a look, not at once."""
        self._vague = self._vague or not self._bell.is_set()
        self._bell.set()

    def close(self) -> None:
        """Take nothing more; what is being taken still begins. `run` ends."""
        self._closed = True
        self._bell.set()

    async def run(self) -> None:
        while not self._closed:
            await asyncio.sleep(GATHER_SECONDS if self._vague else max(self._next_round - clock.monotonic(), 0))
            self._bell.clear()
            self._vague = False
            await self._yield()
            try:
                await self._cycle()
                self._failing = False
            except (DatabaseError, InterfaceError) as exc:
                self._unsure_until = clock.monotonic() + UNSURE_SECONDS
                await self._rest(exc)

    async def _yield(self) -> None:
        seconds = YIELD_SECONDS * min(self._load() / self._room_in_all, 1)
        if seconds >= TURN_SECONDS:
            await asyncio.sleep(seconds)

    async def _cycle(self) -> None:
        if clock.monotonic() < self._unsure_until:
            await self._find_lost()
        bite = self._bite()
        room = min(self._room_in_all - self._load(), bite)
        threads = self._threads()
        began_at = clock.monotonic()
        if threads >= room:
            full, due_at = await self._claim(room, registry.all())
        else:
            full, due_at = await self._claim_by_kind(room, threads)
        self._next_round = 0.0 if full and room == bite else began_at + ROUND_SECONDS
        if not full:
            await self._wait(_seconds_until(due_at))

    def _bite(self) -> int:
        """Who drives as many already takes half: of a hundred that come at once, two workers are to get fifty each."""
        batch = get_settings().claim_batch
        return batch if self._load() < batch else max(1, batch // 2)

    async def _claim_by_kind(self, room: int, threads: int) -> Claimed:
        """A run of a sync job only for each free thread; those of one kind first, then those of the other."""
        self._sync_first = not self._sync_first
        full, times = False, []
        for is_async in (not self._sync_first, self._sync_first):
            left = min(room, self._room_in_all - self._load())
            jobs = [job for job in registry.all() if job.is_async is is_async]
            is_full, due_at = await self._claim(left if is_async else min(left, threads), jobs)
            full = full or is_full
            times += [due_at] if due_at is not None else []
        return full, min(times, default=None)

    async def _claim(self, limit: int, jobs: list[Job]) -> Claimed:
        if limit <= 0 or not jobs or self._closed:
            return False, None
        found = await self._database.call(claim, self._worker, [job.key for job in jobs], limit)
        for run in found.runs:
            self._begin(run)
        return len(found.runs) == limit, found.next_due_at

    async def _find_lost(self) -> None:
        """A claim may be committed though its answer was lost: nobody else would drive its runs while we live.

        Only this loop begins runs, so one that is not driven before the look, and ours in it, is one of those.
        """
        driven = self._driven()
        for run in await self._database.call(held_by, self._worker):
            if (run.id, run.lease_token) not in driven and not self._closed:
                log.warning("Run %s was claimed by a call whose answer was lost; it is driven now.", run.id)
                self._begin(run)

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._bell.wait()
        except TimeoutError:
            return

    async def _rest(self, exc: Exception) -> None:
        if not self._failing:
            log.error("No runs can be claimed, because of the database: %s. It is tried again.", describe(exc))
        self._failing = True
        if not self._closed:
            await asyncio.sleep(POLL_SECONDS)


def _seconds_until(due_at: datetime | None) -> float:
    if due_at is None:
        return POLL_SECONDS
    seconds = (due_at - clock.now()).total_seconds()
    return min(seconds if seconds > 0 else REST_SECONDS, POLL_SECONDS)
