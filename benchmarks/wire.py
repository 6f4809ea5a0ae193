"""What a client asks of PostgreSQL, counted on the wire between them."""

import asyncio
import threading
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit, urlunsplit

EXECUTE, SIMPLE_QUERY = b"E", b"Q"
COMPLETE, READY = b"C", b"Z"
IDLE = b"I"


@dataclass
class Counted:
    """`statements` executed and `transactions` ended, explicit or a statement's own."""

    statements: int = 0
    transactions: int = 0


class Wire:
    """A proxy in front of the server of `url`, in a thread; `self.url` leads through it, unencrypted."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        socket_folder = parse_qs(parts.query).get("host", [""])[0]
        port = parts.port or 5432
        self.server = f"{socket_folder}/.s.PGSQL.{port}" if socket_folder else (parts.hostname or "localhost", port)
        self.counted = Counted()
        self._is_ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        self._is_ready.wait(10)
        user = parts.netloc.rpartition("@")[0] or "postgres"
        place = f"{user}@127.0.0.1:{self._port}"
        self.url = urlunsplit(parts._replace(netloc=place, query="sslmode=disable&gssencmode=disable"))

    def take(self) -> Counted:
        """What was counted since the last call."""
        found, self.counted = self.counted, Counted()
        return found

    def close(self) -> None:
        """Cut every connection."""
        self._loop.call_soon_threadsafe(self._wants_end.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._wants_end = asyncio.get_running_loop(), asyncio.Event()
        listener = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self._port = listener.sockets[0].getsockname()[1]
        self._is_ready.set()
        await self._wants_end.wait()
        listener.close()

    async def _connect(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        reader, writer = await (
            asyncio.open_unix_connection(self.server)
            if isinstance(self.server, str)
            else asyncio.open_connection(*self.server)
        )
        try:
            await asyncio.gather(self._pass_questions(client, writer), self._pass_answers(reader, answer))
        except ConnectionError:
            pass  # one side was killed; the other sees its connection end
        finally:
            answer.close()
            writer.close()

    async def _pass_questions(self, client: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        messages = _Messages(starts_untyped=True)
        while data := await client.read(65536):
            self.counted.statements += sum(kind in (EXECUTE, SIMPLE_QUERY) for kind, _ in messages.of(data))
            server.write(data)
            await server.drain()
        server.close()

    async def _pass_answers(self, server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        messages, has_worked = _Messages(), False
        while data := await server.read(65536):
            for kind, body in messages.of(data):
                if kind == COMPLETE:
                    has_worked = True
                elif kind == READY and body == IDLE:
                    self.counted.transactions += has_worked
                    has_worked = False
            client.write(data)
            await client.drain()
        client.close()


class _Messages:
    """Cuts a stream into (kind, first byte of the body); a client's first message has no kind."""

    def __init__(self, *, starts_untyped: bool = False) -> None:
        self.rest = b""
        self.is_untyped = starts_untyped

    def of(self, data: bytes) -> list[tuple[bytes, bytes]]:
        self.rest += data
        found, at = [], 0
        while (head := 0 if self.is_untyped else 1) + 4 <= len(self.rest) - at:
            length = head + int.from_bytes(self.rest[at + head : at + head + 4], "big")
            if len(self.rest) - at < length:
                break
            found.append((self.rest[at : at + head], self.rest[at + head + 4 : at + head + 5]))
            at += length
            self.is_untyped = False
        self.rest = self.rest[at:]
        return found
