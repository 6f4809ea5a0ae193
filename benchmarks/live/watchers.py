"""WebSocket clients in a process of their own: raw sockets and the least work, since they share the machine.

    python -m benchmarks.live.watchers HOST PORT TOKEN < [[run id, how many], ...]

Prints `ready` when every client has its first event, and one line of JSON when all sockets are closed.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any

_HANDSHAKE = (
    "GET /ws/runs/{run}/ HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: perdure.token.{token}, perdure\r\n\r\n"
)
_PONG, _PING, _CLOSE = 0x8A, 0x89, 0x88
AT_ONCE = 50
"""Connections being opened at the same time."""


class Client(asyncio.Protocol):
    """Counts frames, checks that none is missing, and takes the time from emit to arrival."""

    def __init__(self, hello: bytes, lags: list[float]) -> None:
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.frames = 0
        self.expected = 0
        self.close_code = 0
        self._hello, self._lags = hello, lags
        self._data = b""
        self._open = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self._open:
            head, blank, rest = self._data.partition(b"\r\n\r\n")
            if not blank:
                return
            assert b" 101 " in head, head
            self._open, self._data = True, rest
        self._take_messages(time.time())

    def _take_messages(self, now: float) -> None:
        data, place = self._data, 0
        while (found := _message_at(data, place)) is not None:
            kind, start, end = found
            self._take(kind, data[start:end], now)
            place = end
        self._data = data[place:]

    def _take(self, kind: int, payload: bytes, now: float) -> None:
        if kind == _CLOSE:
            self.close_code = int.from_bytes(payload[:2], "big")
            self._transport.close()
        elif kind == _PING:
            self._transport.write(bytes([_PONG, 0x80 | len(payload), 0, 0, 0, 0]) + payload)
        else:
            self._take_event(json.loads(payload), now)

    def _take_event(self, event: dict[str, Any], now: float) -> None:
        if event["type"] == "stream":
            self.frames += event["offset"] == self.frames
            self._lags.append(now - event["data"]["at"])
        elif event["type"] == "step:complete":
            self.expected = event["data"]["frames"]
        if not self.begun.done():
            self.begun.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        for future in (self.begun, self.ended):
            if not future.done():
                future.set_result(None)


def _message_at(data: bytes, place: int) -> tuple[int, int, int] | None:
    """(first byte, start, end) of the message that begins there, when all of it has come."""
    if len(data) < place + 2:
        return None
    size, start = data[place + 1], place + 2
    if size == 126:
        size, start = int.from_bytes(data[start : start + 2], "big"), start + 2
    elif size == 127:
        size, start = int.from_bytes(data[start : start + 8], "big"), start + 8
    end = start + size
    return (data[place], start, end) if len(data) >= end and len(data) >= start else None


async def watch(host: str, port: int, token: str, wanted: list[tuple[str, int]]) -> dict[str, Any]:
    """What all clients saw together."""
    lags: list[float] = []
    runs = [run for run, count in wanted for _ in range(count)]
    gate = asyncio.Semaphore(AT_ONCE)

    async def open_one(run: str) -> Client:
        hello = _HANDSHAKE.format(run=run, host=host, port=port, token=token).encode()
        async with gate:
            _, client = await asyncio.get_running_loop().create_connection(lambda: Client(hello, lags), host, port)
            await client.begun
        return client

    clients = await asyncio.gather(*(open_one(run) for run in runs))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.gather(*(client.ended for client in clients))
    return _summary(clients, sorted(lags))


def _summary(clients: list[Client], lags: list[float]) -> dict[str, Any]:
    def lag(share: float) -> float:
        return lags[int(share * (len(lags) - 1))] * 1000 if lags else 0.0

    return {
        "clients": len(clients),
        "frames": sum(client.frames for client in clients),
        "whole": sum(client.frames == client.expected > 0 for client in clients),
        "close_codes": Counter(client.close_code for client in clients),
        "lag_p50_ms": lag(0.5), "lag_p95_ms": lag(0.95), "lag_max_ms": lag(1.0),
        "cpu_seconds": time.process_time(),
    }  # fmt: skip


def main() -> None:
    host, port, token = sys.argv[1:]
    found = asyncio.run(watch(host, int(port), token, json.loads(sys.stdin.read())))
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
