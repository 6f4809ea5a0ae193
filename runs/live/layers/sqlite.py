"""A channel layer in a SQLite file of its own: a send is one INSERT, readers notice it by `PRAGMA data_version`."""

import asyncio
import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from runs import clock
from runs.live.layers.broadcast import BroadcastLayer, Deliver, Kind, Message, Transport
from runs.live.layers.codec import decode, encode

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.03
PRUNE_SECONDS = 5.0
_BATCH = 500
_INSERT = "INSERT INTO message (kind, target, body, at) VALUES (?, ?, ?, ?)"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, target TEXT NOT NULL, body TEXT NOT NULL, at REAL NOT NULL
)"""


class SqliteChannelLayer(BroadcastLayer):
    """For one host. `path` names the file, which may be deleted whenever nothing runs: it holds no truth."""

    def __init__(self, path: str, **options: Any) -> None:
        super().__init__(**options)
        self.path = Path(path)

    def make_transport(self, deliver: Deliver) -> Transport:
        return SqliteTransport(self.path, deliver, self.expiry)


class SqliteTransport(Transport):
    """Writes go through one thread, so that a locked file never blocks the loop and sends keep their order."""

    def __init__(self, path: Path, deliver: Deliver, expiry: float) -> None:
        self._path = path
        self._deliver = deliver
        self._expiry = expiry
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="live-sqlite")
        self._writer: sqlite3.Connection | None = None
        # Two connections, because data_version tells only of commits by others.
        self._reader: sqlite3.Connection | None = None
        self._tail: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._last = 0
        self._pruned_at = 0.0

    async def publish(self, kind: Kind, target: str, message: Message) -> None:
        body = encode(message)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._insert, kind, target, body)

    async def listen(self) -> None:
        async with self._starting:
            if self._tail is None or self._tail.done():
                await self._in_thread(self._open_reader)
                self._tail = asyncio.create_task(self._follow(), name="live-sqlite-tail")

    def close(self) -> None:
        if self._tail is not None and not self._tail.get_loop().is_closed():
            self._tail.cancel()
        self._tail = None
        self._thread.shutdown(wait=True)
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()
        self._reader = self._writer = None

    async def _in_thread(self, function: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=20, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        # Hints may be lost in a power cut; waiting for the disk at each of them is what must not happen.
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute(_SCHEMA)
        return connection

    def _insert(self, kind: Kind, target: str, body: str) -> None:
        self._writer = self._writer or self._connect()
        at = clock.now().timestamp()
        self._writer.execute(_INSERT, (kind, target, body, at))
        if clock.monotonic() - self._pruned_at > PRUNE_SECONDS:
            self._pruned_at = clock.monotonic()
            self._writer.execute("DELETE FROM message WHERE at < ?", (at - self._expiry,))

    def _open_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = self._connect()
        (self._last,) = self._reader.execute("SELECT coalesce(max(id), 0) FROM message").fetchone()

    async def _follow(self) -> None:
        seen = None
        while True:
            try:
                version = self._version()
                if version != seen:
                    await self._deliver_new()
                    seen = version
            except (sqlite3.Error, OSError) as exc:
                logger.warning("The live bus file %s cannot be read (%s); trying again.", self._path, exc)
                await asyncio.sleep(1)
                seen = None
            await asyncio.sleep(POLL_SECONDS)

    def _version(self) -> int:
        """In the loop, not in the thread: it reads shared memory only and takes microseconds."""
        if self._reader is None:
            raise sqlite3.ProgrammingError("the reader is closed")
        return int(self._reader.execute("PRAGMA data_version").fetchone()[0])

    async def _deliver_new(self) -> None:
        while rows := await self._in_thread(self._fetch):
            for number, kind, target, body in rows:
                self._last = number
                self._deliver(kind, target, decode(body))

    def _fetch(self) -> list[tuple[int, Kind, str, str]]:
        if self._reader is None:
            return []
        query = f"SELECT id, kind, target, body FROM message WHERE id > ? ORDER BY id LIMIT {_BATCH}"
        return self._reader.execute(query, (self._last,)).fetchall()
