"""HTTP/1.1 as far as it is needed: requests with a body by length or in chunks, answers whole or in chunks."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

LARGEST_BODY = 64 * 1024 * 1024
_LARGEST_HEAD = 64 * 1024


class ClientGone(Exception):
    """The client closed the connection while it was answered."""


class BadRequest(Exception):
    """What came is no HTTP that this server takes."""


@dataclass(frozen=True)
class Request:
    """Header names are in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def keeps_alive(self) -> bool:
        return self.headers.get("connection", "").lower() != "close"

    def json(self) -> Any:
        """Raises: ValueError."""
        return json.loads(self.body or b"{}")


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def answer_json(status: int, data: Any, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, json.dumps(data).encode(), {"content-type": "application/json", **named})


class Client(asyncio.StreamReaderProtocol):
    """One connection. `on_gone` is called at the moment when the client's end is seen, before anything else runs."""

    def __init__(self, serve: Callable[["Client"], Awaitable[None]]) -> None:
        self.reader = asyncio.StreamReader(limit=_LARGEST_HEAD)
        super().__init__(self.reader, self._connected)
        self.writer: asyncio.StreamWriter
        self.gone = asyncio.Event()
        self.on_gone: Callable[[], None] | None = None
        self._serve = serve

    async def _connected(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        try:
            await self._serve(self)
        except (ClientGone, ConnectionError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            # only as the process ends: Python 3.11 would print it for every connection
            pass
        except Exception:
            # the client sees the connection end; why stands in the vendor's standard error
            logging.getLogger(__name__).exception("the fake vendor itself failed")
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def eof_received(self) -> bool | None:
        self._leave()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        super().connection_lost(exc)

    def _leave(self) -> None:
        self.gone.set()
        if self.on_gone:
            self.on_gone()

    async def next_request(self) -> Request | None:
        """None: the client sends no more. Raises: BadRequest."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        except asyncio.LimitOverrunError as error:
            raise BadRequest("the headers are too long") from error
        line, *lines = head.decode("latin-1").split("\r\n")
        parts = line.split(" ")
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            raise BadRequest(f"no request line: {line[:80]}")
        headers = {name.strip().lower(): value.strip() for name, _, value in (text.partition(":") for text in lines)}
        if parts[2] == "HTTP/1.0":
            headers["connection"] = "close"
        path, _, query = parts[1].partition("?")
        return Request(parts[0], path, query, headers, await self._body(headers))

    async def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("expect", "").lower() == "100-continue":
            await self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return await self._chunked_body()
        length = headers.get("content-length") or "0"
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            raise BadRequest(f"no length of a body that is taken: {length[:20]}")
        return await self.reader.readexactly(int(length))

    async def _chunked_body(self) -> bytes:
        body = bytearray()
        while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
            if len(body) + size > LARGEST_BODY:
                raise BadRequest("the body is too long")
            body += (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readuntil(b"\r\n")
        return bytes(body)

    async def pause(self, seconds: float | None, event: asyncio.Event | None = None) -> None:
        """Until the time is over (None: no time) or the event is set. Raises: ClientGone."""
        waits = [asyncio.ensure_future(each.wait()) for each in (self.gone, event) if each]
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self.gone.is_set():
            raise ClientGone

    async def write(self, data: bytes) -> None:
        """Raises: ClientGone."""
        if self.gone.is_set():
            raise ClientGone
        self.writer.write(data)
        await self.writer.drain()
        # streams that have no pauses still take turns
        await asyncio.sleep(0)

    async def respond(self, response: Response, *, to: Request) -> None:
        head = head_of(response.status, {**response.headers, "content-length": str(len(response.body))})
        await self.write(head + (b"" if to.method == "HEAD" else response.body))


def head_of(status: int, headers: dict[str, str]) -> bytes:
    phrases = {each.value: each.phrase for each in HTTPStatus}
    lines = [f"HTTP/1.1 {status} {phrases.get(status, 'Overloaded')}", *(f"{k}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


LAST_CHUNK = b"0\r\n\r\n"
