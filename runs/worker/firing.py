"""The loop that starts what schedules make due, a second late at the most."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from django.db import DatabaseError, InterfaceError

from runs import clock
from runs.definitions import registry
from runs.engine.store.firing import fire_due, next_due_at
from runs.worker.threads import DatabaseThread

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 1.0
REST_SECONDS: Final = 0.05
"""At least: until the database's clock, which decides, says the same as this host's."""


class Firing:
    def __init__(self, database: DatabaseThread, fired: Callable[[], None]) -> None:
        """`fired()`: there may be runs that are due."""
        self._database, self._fired = database, fired

    async def run(self) -> None:
        while True:
            try:
                seconds = await self._fire()
            except (DatabaseError, InterfaceError):
                seconds = POLL_SECONDS  # the claims say that the database does not answer
            except Exception:
                log.exception("Schedules could not be looked at. They are tried again.")
                seconds = POLL_SECONDS
            await asyncio.sleep(seconds)

    async def _fire(self) -> float:
        """Seconds until the next look."""
        jobs = [job.key for job in registry.all()]
        while await self._database.call(fire_due, jobs):
            self._fired()
        next_at = await self._database.call(next_due_at)
        if next_at is None:
            return POLL_SECONDS
        return min(max((next_at - clock.now()).total_seconds(), REST_SECONDS), POLL_SECONDS)
