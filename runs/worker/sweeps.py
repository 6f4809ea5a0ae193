"""The loop that does what an ended run makes due: its parent is woken at once, and a second later at the latest."""

import asyncio
from contextlib import suppress
from typing import Final

from django.db import DatabaseError, InterfaceError

from runs.maintenance.sweeper import sweep
from runs.worker.threads import DatabaseThread

SWEEP_SECONDS: Final = 1.0


class Sweeps:
    def __init__(self, database: DatabaseThread) -> None:
        self._database = database
        self._bell = asyncio.Event()

    def ring(self) -> None:
        """A run has left this process: it may have ended."""
        self._bell.set()

    async def run(self) -> None:
        while True:
            self._bell.clear()
            with suppress(DatabaseError, InterfaceError):  # the claims say that the database does not answer
                await self._database.call(sweep)
            with suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_SECONDS):
                    await self._bell.wait()
