"""A step alone is sent from the loop: waking the writer's thread, and being woken by it, takes longer than the write.

On PostgreSQL only, on the connection of the writer's thread while that has nothing to do, and after a batch that was
of one transition. Whatever is not simply done goes back to the thread, which knows what to make of it.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg

from runs.engine.batches import Batch
from runs.engine.store import lone
from runs.engine.store.transitions import Written

LARGEST = 16 * 1024
"""Bytes: what a socket mostly takes at once."""


class Alone:
    """The one write that may be under way from the loop.

    `landed(batch, written)` or `returned(batch, error)` is called in the loop; the error is psycopg's, or None where
    nothing was written.
    """

    def __init__(
        self, landed: Callable[[Batch, Written], None], returned: Callable[[Batch, Exception | None], None]
    ) -> None:
        self._landed = landed
        self._returned = returned
        self._link: psycopg.Connection[Any] | None = None

    def lend(self, link: Any) -> None:
        """The thread's connection, after it was used."""
        self._link = link

    def is_possible(self) -> bool:
        return lone.can_send(self._link)

    def send(self, batch: Batch) -> None:
        """In the loop, with a batch of one plain transition."""
        assert self._link is not None
        link, loop = self._link, asyncio.get_running_loop()
        try:
            lone.send_entry(link, batch[0][2])
            place, is_out = link.pgconn.socket, lone.push(link)
        except Exception as exc:  # the thread tells what can be tried again
            self._returned(batch, exc)
        else:
            loop.add_reader(place, self._hear, loop, place, link, batch)
            if not is_out:
                loop.add_writer(place, self._push, loop, place, link, batch)

    def _push(self, loop: asyncio.AbstractEventLoop, place: int, link: "psycopg.Connection[Any]", batch: Batch) -> None:
        """What the socket did not take at once: the server answers to nothing less than all of it."""
        try:
            if lone.push(link):
                loop.remove_writer(place)
        except Exception as exc:
            self._end(loop, place, batch, None, exc)

    def _hear(self, loop: asyncio.AbstractEventLoop, place: int, link: "psycopg.Connection[Any]", batch: Batch) -> None:
        written, error = None, None
        try:
            if not lone.has_answered(link):
                return
            written = lone.answered(link)
        except Exception as exc:
            error = exc
        self._end(loop, place, batch, written, error)

    def _end(
        self, loop: asyncio.AbstractEventLoop, place: int, batch: Batch, written: Written | None,
        error: Exception | None,
    ) -> None:  # fmt: skip
        with suppress(OSError):  # of a connection that is gone, whose place is closed
            loop.remove_writer(place)
        loop.remove_reader(place)
        if written is None:
            self._returned(batch, error)
        else:
            self._landed(batch, written)
