"""Hints that runs changed, from whoever committed to whoever waits. Polling every second stands behind them.

PostgreSQL: NOTIFY from a thread of its own, because a NOTIFY inside the writing transaction would serialise all
commits of the database. SQLite: datagrams to the processes beside its file, and its own change counter, which costs
the writer nothing.
"""

import asyncio
import atexit
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection

from runs.events.neighbours import heard_neighbours, ring_neighbours

logger = logging.getLogger(__name__)

NOTIFY_CHANNEL = "runs_changed"
POLL_SECONDS = 0.03
IDLE_SECONDS = 10.0
"""A connection takes longer to open than a run to start."""

GATHER_SECONDS, LONGEST_GATHER_SECONDS = 0.002, 0.01
"""Between two NOTIFYs of one process: each wakes everybody who listens. The longest while there are rings in each."""

_IDS_PER_NOTIFY = 200  # 34 bytes each at most; a NOTIFY carries less than 8,000

UNFLUSHED = "SET synchronous_commit = off"
"""For a session that only notifies: PostgreSQL would wait for the disk before it tells anybody."""

_MAIL = "-"
"""After an id: the run was sent something, and whoever drives it needs no more than a look at its mail."""

Handler = Callable[[list[UUID] | None], None]
MailHandler = Callable[[list[UUID]], object]


def connection_parameters() -> dict[str, Any]:
    """Keyword arguments for `psycopg.connect` to Django's default database, without what only Django's wrapper uses."""
    parameters: dict[str, Any] = connection.get_connection_params()
    return {key: value for key, value in parameters.items() if key not in ("cursor_factory", "context")}


async def open_connection(conninfo: str = "", **parameters: Any) -> "psycopg.AsyncConnection[Any]":
    """An autocommit connection. Cancelled half-way, the connection is closed as soon as it is there.

    When psycopg's own `connect` is cancelled, the session stays open until the garbage is collected.
    """
    connecting = asyncio.create_task(
        psycopg.AsyncConnection.connect(conninfo, autocommit=True, **parameters), name="postgresql-connect"
    )
    try:
        return await asyncio.shield(connecting)
    except asyncio.CancelledError:
        _left_behind.add(connecting)
        connecting.add_done_callback(_finish)
        raise


# asyncio holds its tasks weakly: one that nobody awaits any more could be collected before its session is closed
_left_behind: "set[asyncio.Task[psycopg.AsyncConnection[Any]]]" = set()


def _finish(connecting: "asyncio.Task[psycopg.AsyncConnection[Any]]") -> None:
    _left_behind.discard(connecting)
    if not connecting.cancelled() and connecting.exception() is None:
        connecting.result().pgconn.finish()


def ring(run_ids: Iterable[UUID], *, only_mail: bool = False) -> None:
    """Tell everyone that these runs changed. Call it after the commit, from any thread; it never raises nor waits.

    `only_mail`: they were sent something and are driven by somebody already, so that nobody needs to claim.
    """
    told = [run_id.hex + _MAIL if only_mail else run_id.hex for run_id in run_ids]
    if connection.vendor == "postgresql":
        _bell_of_this_process().ring(told)
    else:
        ring_neighbours(_database(), told)


def ring_here(run_ids: Iterable[UUID]) -> None:
    """On this thread's connection, where a process may not start a thread. Seldom: it stands in other commits' way."""
    told = [run_id.hex for run_id in run_ids]
    if connection.vendor != "postgresql":
        return ring_neighbours(_database(), told)
    with connection.cursor() as cursor:
        _notify(cursor.execute, told)


def hang_up() -> None:
    """Send what is pending and give the connection back, as before a database is dropped. The next ring reconnects."""
    if _bell is not None and _bell.pid == os.getpid():
        _bell.stop()


class _Bell:
    """Coalesces rings: while one NOTIFY is under way, all further ids gather for the next."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._pending: set[str] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._pause = GATHER_SECONDS

    def ring(self, told: Iterable[str]) -> None:
        with self._changed:
            self._pending.update(told)
            if self._thread is None and self._pending:
                self._thread = threading.Thread(target=self._run, name="doorbell", daemon=True)
                self._thread.start()
            self._changed.notify()

    def stop(self) -> None:
        with self._changed:
            thread = self._thread
            self._stopping.set()
            self._changed.notify()
        if thread is not None:
            thread.join(timeout=5)
        self._stopping.clear()

    def _take(self) -> list[str]:
        """What is pending; nothing when it was quiet for a while, and then the thread has ended itself."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._stopping.is_set(), timeout=IDLE_SECONDS)
            taken, self._pending = list(self._pending), set()
            if not taken:
                self._thread = None
            return taken

    def _rest(self) -> None:
        """Not by the condition: each ring would wake this thread, and take the interpreter from the one that rings."""
        self._stopping.wait(self._pause)
        self._pause = min(self._pause * 2, LONGEST_GATHER_SECONDS) if self._pending else GATHER_SECONDS

    def _run(self) -> None:
        link: psycopg.Connection[Any] | None = None
        while told := self._take():
            try:
                link = link or _connect()
                _notify(link.execute, told)
                self._rest()
            except psycopg.Error as exc:
                logger.warning("A doorbell was lost (%s); the poll every second finds the change.", exc)
                if link is not None:
                    link.close()
                link = None
        if link is not None:
            link.close()


def _connect() -> "psycopg.Connection[Any]":
    link = psycopg.connect(**connection_parameters(), autocommit=True, application_name="perdure-bell")
    link.execute(UNFLUSHED)
    return link


def _notify(execute: Callable[[str, tuple[str, str]], Any], told: list[str]) -> None:
    for start in range(0, len(told), _IDS_PER_NOTIFY):
        payload = ",".join(told[start : start + _IDS_PER_NOTIFY])
        execute("SELECT pg_notify(%s, %s)", (NOTIFY_CHANNEL, payload))


_bell: _Bell | None = None


def _bell_of_this_process() -> _Bell:
    """A forked child inherits neither the thread nor the right to use the connection."""
    global _bell
    if _bell is None or _bell.pid != os.getpid():
        _bell = _Bell()
    return _bell


atexit.register(hang_up)


class Doorbell:
    """`async with Doorbell(handler):` calls `handler(ids)` in this loop at each ring; None means "any run may have".

    With `on_mail`, runs of which no more is to be said than that mail came go there instead.
    """

    def __init__(self, handler: Handler, on_mail: MailHandler | None = None) -> None:
        self._handler = handler
        self._on_mail = on_mail
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    async def __aenter__(self) -> "Doorbell":
        """Returns when the bell is heard, or when the database does not answer for now; then it is heard later."""
        listen = self._listen if connection.vendor == "postgresql" else self._hear_beside
        self._task = asyncio.create_task(listen(), name="doorbell")
        try:
            await self._ready.wait()
        except asyncio.CancelledError:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stop()

    async def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self) -> None:
        delay = 0.1
        first = True
        while True:
            try:
                await self._hear(announce=not first)
            except (psycopg.Error, OSError) as exc:
                logger.warning("The doorbell is not heard (%s); listening again in %.1f s.", exc, delay)
                self._ready.set()
                await asyncio.sleep(delay)
                delay = min(delay * 2, 5.0)
            first = False

    async def _hear(self, announce: bool) -> None:
        link = await open_connection(**connection_parameters(), application_name="perdure-doorbell")
        try:
            await link.execute(f"LISTEN {NOTIFY_CHANNEL}")
            self._ready.set()
            if announce:
                self._ring(None)
            async for notify in link.notifies():
                self.hear(notify.payload)
        finally:
            # Not `async with link`: it may wait, and cancelled a second time there, it would leave the session open.
            link.pgconn.finish()

    async def _hear_beside(self) -> None:
        with heard_neighbours(_database(), self.hear):
            await self._poll()

    async def _poll(self) -> None:
        link: sqlite3.Connection | None = None
        seen = None
        try:
            while True:
                try:
                    link = link or _open_database()
                    version = link.execute("PRAGMA data_version").fetchone()[0]
                except sqlite3.Error:
                    version = None  # busy in recovery, or not there yet: a change is assumed
                self._ready.set()
                if seen is not None and version != seen:
                    self._ring(None)
                seen = version or -1
                await asyncio.sleep(POLL_SECONDS)
        finally:
            if link is not None:
                link.close()

    def hear(self, text: str) -> None:
        """What a ring says: ids, separated by commas."""
        mail: list[str] = []
        others: list[str] = []
        for one in text.split(","):
            (mail if self._on_mail is not None and one.endswith(_MAIL) else others).append(one)
        changed, sent = _parse(others), _parse(mail)
        if changed is None or sent is None:
            self._ring(None)
            return
        if changed:
            self._ring(changed)
        if sent and self._on_mail is not None:
            self._call(self._on_mail, sent)

    def _ring(self, ids: list[UUID] | None) -> None:
        self._call(self._handler, ids)

    def _call(self, handler: Callable[[Any], object], ids: list[UUID] | None) -> None:
        try:
            handler(ids)
        except Exception:
            logger.exception("A handler of the doorbell failed.")


def _database() -> str:
    return str(connection.settings_dict["NAME"])


def _open_database() -> sqlite3.Connection:
    return sqlite3.connect(_database(), timeout=0, isolation_level=None)


def _parse(told: Iterable[str]) -> list[UUID] | None:
    try:
        return [UUID(hex=text.removesuffix(_MAIL)) for text in told]
    except ValueError:
        return None
