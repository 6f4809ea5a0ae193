"""A channel layer by LISTEN/NOTIFY on Django's default database, for installations on PostgreSQL without Redis."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg

from runs import clock
from runs.events.doorbell import UNFLUSHED, connection_parameters, open_connection
from runs.live.layers.broadcast import BroadcastLayer, Deliver, Kind, Message, Transport
from runs.live.layers.codec import decode, encode

logger = logging.getLogger(__name__)

NOTIFY_CHANNEL = "perdure_live"
PART_BYTES = 7_900
_HEADER_BYTES = 60
_NOTIFY = "SELECT pg_notify(%s, part) FROM unnest(%s::text[]) AS part"


class PostgresChannelLayer(BroadcastLayer):
    """`url` names another database than Django's. Not PgBouncer's transaction mode: LISTEN belongs to a session."""

    def __init__(self, url: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.url = url

    def make_transport(self, deliver: Deliver) -> Transport:
        return PostgresTransport(self.url, deliver, self.expiry)


class PostgresTransport(Transport):
    """One connection sends, one listens. A lost connection is opened again; what was sent meanwhile is lost."""

    def __init__(self, url: str | None, deliver: Deliver, expiry: float) -> None:
        self._url = url
        self._deliver = deliver
        self._parts = Parts(expiry)
        self._sender: psycopg.AsyncConnection[Any] | None = None
        self._listener: psycopg.AsyncConnection[Any] | None = None
        self._sending = asyncio.Lock()
        self._starting = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def publish(self, kind: Kind, target: str, message: Message) -> None:
        payloads = list(split(encode([kind, target, message])))
        async with self._sending:
            try:
                await self._notify(payloads)
            except psycopg.OperationalError:
                self._drop_sender()
                await self._notify(payloads)

    async def _notify(self, payloads: list[str]) -> None:
        if self._sender is None or self._sender.closed:
            self._sender = await self._connect()
            await self._sender.execute(UNFLUSHED)
        # One statement is one transaction: the parts arrive together and in order.
        await self._sender.execute(_NOTIFY, (NOTIFY_CHANNEL, array(payloads)))

    async def _connect(self) -> psycopg.AsyncConnection[Any]:
        if self._url is not None:
            return await open_connection(self._url, application_name="perdure-live")
        return await open_connection(**connection_parameters(), application_name="perdure-live")

    def _drop_sender(self) -> None:
        if self._sender is not None:
            self._sender.pgconn.finish()
        self._sender = None

    async def listen(self) -> None:
        async with self._starting:
            if self._task is None or self._task.done():
                await self._open_listener()
                self._task = asyncio.create_task(self._follow(), name="live-postgresql-listener")

    def close(self) -> None:
        if self._task is not None and not self._task.get_loop().is_closed():
            self._task.cancel()
        self._task = None
        for connection in (self._sender, self._listener):
            if connection is not None:
                connection.pgconn.finish()
        self._sender = self._listener = None

    async def _open_listener(self) -> None:
        if self._listener is not None:
            self._listener.pgconn.finish()
        self._listener = await self._connect()
        await self._listener.execute(f"LISTEN {NOTIFY_CHANNEL}")

    async def _follow(self) -> None:
        delay = 0.1
        while True:
            try:
                if self._listener is None or self._listener.closed:
                    await self._open_listener()
                    delay = 0.1
                await self._deliver_all()
            except (psycopg.Error, OSError) as exc:
                logger.warning("The live bus lost its listener (%s); opening it again in %.1f s.", exc, delay)
                await asyncio.sleep(delay)
                delay = min(delay * 2, 5.0)

    async def _deliver_all(self) -> None:
        assert self._listener is not None
        async for notify in self._listener.notifies():
            text = self._parts.add(notify.payload)
            if text is not None:
                kind, target, message = decode(text)
                self._deliver(kind, target, message)


def array(texts: list[str]) -> str:
    """PostgreSQL's text of an array. psycopg's own way through a pattern took half of a busy driver's time."""
    quoted = [text.replace("\\", "\\\\").replace('"', '\\"') for text in texts]
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"


def split(text: str) -> Iterator[str]:
    """`<id>:<index>:<count>:<piece>` for each part of ASCII `text`, none longer than a NOTIFY may be."""
    size = PART_BYTES - _HEADER_BYTES
    pieces = [text[at : at + size] for at in range(0, len(text), size)] or [""]
    name = uuid4().hex
    for index, piece in enumerate(pieces):
        yield f"{name}:{index}:{len(pieces)}:{piece}"


class Parts:
    """Puts messages together again. A message whose sender died half-way is forgotten after `expiry` seconds."""

    def __init__(self, expiry: float) -> None:
        self._expiry = expiry
        self._open: dict[str, tuple[float, dict[int, str]]] = {}

    def add(self, payload: str) -> str | None:
        """The whole text when `payload` was its last missing part; None before, and for what is no part."""
        try:
            name, index, count, piece = payload.split(":", 3)
            total, number = int(count), int(index)
        except ValueError:
            return None
        if total == 1:
            return piece
        self._forget_old()
        _, pieces = self._open.setdefault(name, (clock.monotonic(), {}))
        pieces[number] = piece
        if len(pieces) < total:
            return None
        del self._open[name]
        return "".join(pieces[number] for number in range(total))

    def _forget_old(self) -> None:
        limit = clock.monotonic() - self._expiry
        for name in [name for name, (since, _) in self._open.items() if since < limit]:
            del self._open[name]
