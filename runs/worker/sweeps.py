"""The loop that does what an ended run makes due: its parent is woken at once, and a second later at the latest.

Now and then it says which runs nobody can take, mends what should not be broken, and adds up what attempts have used.
"""

import asyncio
from contextlib import suppress
from typing import Final

from django.db import DatabaseError, InterfaceError

from runs import clock
from runs.maintenance.rounds import Rounds
from runs.maintenance.stranded import mark
from runs.maintenance.sweeper import sweep
from runs.maintenance.usage import count_all
from runs.worker.threads import DatabaseThread

SWEEP_SECONDS: Final = 1.0
SELDOM_SECONDS: Final = 10.0
"""Runs count as stranded after a minute, and the looks read many rows."""

REST: Final = 20
"""Looks take at most this part of the time, however many runs are due."""


class Sweeps:
    def __init__(self, database: DatabaseThread) -> None:
        self._database = database
        self._bell = asyncio.Event()
        self._rounds = Rounds()
        self._seldom_at = 0.0

    def ring(self) -> None:
        """A run has left this process: it may have ended."""
        self._bell.set()

    async def run(self) -> None:
        while True:
            self._bell.clear()
            with suppress(DatabaseError, InterfaceError):  # the claims say that the database does not answer
                await self._database.call(sweep)
                await self._look_seldom()
            with suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_SECONDS):
                    await self._bell.wait()

    async def _look_seldom(self) -> None:
        began_at = clock.monotonic()
        if began_at < self._seldom_at:
            return
        self._seldom_at = began_at + SELDOM_SECONDS  # also if it fails
        await self._database.call(mark)
        await self._database.call(self._rounds.look)
        await self._database.call(count_all)
        took = clock.monotonic() - began_at
        self._seldom_at = began_at + max(SELDOM_SECONDS, took * REST)
