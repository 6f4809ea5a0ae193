"""Database reads of the live doors, in threads of their own.

Django's async ORM shares one thread per process with every sync view, so a slow page would delay each follower.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from runs.models import ENDED, Attempt, AttemptOutcome, Run

logger = logging.getLogger(__name__)
T = TypeVar("T")
_THREADS = 4


@dataclass(frozen=True, slots=True)
class Head:
    """Where a run stands: the retained window of its log, whether it ended, and the epoch of its lease."""

    first_sequence: int
    last_sequence: int
    ended: bool
    epoch: int


def fetch_heads(run_ids: Iterable[UUID]) -> dict[UUID, Head]:
    """One query; runs that do not exist are missing."""
    fields = ("id", "first_sequence", "last_sequence", "status", "lease_token")
    rows = Run.objects.filter(id__in=list(run_ids)).values_list(*fields)
    return {
        run_id: Head(first_sequence=first, last_sequence=last, ended=status in ENDED, epoch=token)
        for run_id, first, last, status, token in rows
    }


def fetch_epoch(run_id: UUID, step: str, attempt: int) -> int | None:
    """The epoch under which an attempt ran."""
    rows = Attempt.objects.filter(run_id=run_id, step_name=step, number=attempt)
    return rows.values_list("epoch", flat=True).first()


def fetch_open_attempts(run_id: UUID, steps: list[str]) -> list[tuple[str, int, int]]:
    """(step, epoch, number) of the attempts of `steps` whose end is not recorded: a bounded read of any run."""
    rows = Attempt.objects.filter(run_id=run_id, step_name__in=steps, outcome=AttemptOutcome.OPEN)
    return list(rows.order_by("id").values_list("step_name", "epoch", "number"))


class ReadThreads:
    """A few threads with a kept connection each. A broken connection is replaced once before the error is raised."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="live-read")
        self._connections: set[BaseDatabaseWrapper] = set()

    async def run(self, read: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, read, *args)

    def _read(self, read: Callable[..., T], *args: object) -> T:
        connection = connections["default"]
        self._connections.add(connection)
        try:
            return read(*args)
        except (InterfaceError, OperationalError):
            connection.close()
            return read(*args)

    async def close(self) -> None:
        """Wait for reads under way, some milliseconds each, then close the connections of the ended threads."""
        # In a thread: Django refuses to touch a connection where a loop runs.
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        for connection in self._connections:
            connection.inc_thread_sharing()
            connection.close()
