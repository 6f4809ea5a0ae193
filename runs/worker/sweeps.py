"""The loop that does what an ended run makes due: its parent is woken at once, and a second later at the latest."""

import asyncio
from contextlib import suppress
from typing import Final

from django.db import DatabaseError, InterfaceError

from runs import clock
from runs.maintenance.stranded import mark
from runs.maintenance.sweeper import sweep
from runs.worker.threads import DatabaseThread

SWEEP_SECONDS: Final = 1.0
MARK_SECONDS: Final = 10.0
"""Runs count as stranded after a minute, and the look reads all that are due."""


class Sweeps:
    def __init__(self, database: DatabaseThread) -> None:
        self._database = database
        self._bell = asyncio.Event()
        self._mark_at = 0.0

    def ring(self) -> None:
        """A run has left this process: it may have ended."""
        self._bell.set()

    async def run(self) -> None:
        while True:
            self._bell.clear()
            with suppress(DatabaseError, InterfaceError):  # the claims say that the database does not answer
                await self._database.call(sweep)
                await self._mark()
            with suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_SECONDS):
                    await self._bell.wait()

    async def _mark(self) -> None:
        if clock.monotonic() >= self._mark_at:
            self._mark_at = clock.monotonic() + MARK_SECONDS
            await self._database.call(mark)
