"""A long log over server-sent events, and one reader who is slow."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg

from benchmarks.live.installation import resident_bytes, watched, web_pid
from benchmarks.perdure import Perdure
from tests.servers.installation import Installation

FRAME_BYTES = 16 * 1024
_WRITE = """
INSERT INTO runs_event (run_id, sequence, type, step, attempt, data, created_at)
SELECT %(run)s, number, 'log:write', 'speak', 1,
       jsonb_build_object('level', 'info', 'message', 'line ' || number, 'data', jsonb_build_object('number', number)),
       now()
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS number
"""


def read_log(live: Perdure, run: str) -> float:
    """Seconds from the request to the last event of an ended run, over one connection."""
    with _events(live.installation, run) as lines:
        begun = time.perf_counter()
        found = sum(line.startswith(b"id: ") for line in lines)
        took = time.perf_counter() - begun
    last = int(live.installation.run(run)["last_sequence"])
    if found != last:
        raise RuntimeError(f"{found} of {last} events came")
    return took


def run_with_log(live: Perdure, events: int) -> str:
    """An ended run whose log was made longer, behind the engine's back and after its end."""
    (run,) = live.ask("queue", job="bench-stream", count=1, given={"count": 1})
    live.ask("release", run_ids=[run])
    live.ask("finish", run_ids=[run])
    with psycopg.connect(live.database_url) as connection:
        row = connection.execute("SELECT last_sequence FROM runs_run WHERE id = %s", [run]).fetchone()
        assert row is not None
        connection.execute(_WRITE, {"run": run, "first": row[0] + 1, "last": events})
        connection.execute("UPDATE runs_run SET last_sequence = %s WHERE id = %s", [events, run])
    return str(run)


@contextmanager
def _events(installation: Installation, run: str) -> Iterator[http.client.HTTPResponse]:
    address = urlsplit(installation.base_url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=120)
    headers = {"Authorization": f"Bearer {installation.token}", "Accept": "text/event-stream"}
    connection.request("GET", f"/api/runs/{run}/events", headers=headers)
    try:
        yield connection.getresponse()
    finally:
        connection.close()


def slow_client(live: Perdure, seconds: float = 15.0, rate: float = 100.0) -> dict[str, Any]:
    """A client that reads 1 KiB a second of frames of FRAME_BYTES, then as fast as it can: growth of the server, and
    whether it was sent the whole log in the end."""
    count = int(seconds * rate)
    given = {"count": count, "per_second": rate, "size": FRAME_BYTES}
    ids = live.ask("queue", job="bench-stream", count=1, given=given)
    client = _SlowClient(live.installation, ids[0])
    web = web_pid(live.installation)
    before = resident_bytes(web)
    with watched(web) as server:
        live.ask("release", run_ids=ids)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            client.read(1024)
            time.sleep(1)
    types = client.read_to_end()
    recorded = [event["type"] for event in live.installation.events(ids[0])]
    return {
        "emitted_kib": count * FRAME_BYTES / 1024, "grown_kib": (server.most_bytes - before) / 1024,
        "log_whole": [kind for kind in types if not kind.startswith("stream")] == recorded,
    }  # fmt: skip


class _SlowClient:
    """Server-sent events from a socket with the smallest receive buffer, so that what is unread stays at the server."""

    def __init__(self, installation: Installation, run: str) -> None:
        address = urlsplit(installation.base_url)
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.connect((str(address.hostname), int(address.port or 80)))
        self._socket.sendall(
            f"GET /api/runs/{run}/events HTTP/1.0\r\nHost: {address.netloc}\r\nAccept: application/x-ndjson\r\n"
            f"Authorization: Bearer {installation.token}\r\n\r\n".encode()
        )
        self._data = b""

    def read(self, size: int) -> bytes:
        found = self._socket.recv(size)
        self._data += found
        return found

    def read_to_end(self) -> list[str]:
        """The types of all events that came."""
        while self.read(65536):
            pass
        self._socket.close()
        lines = self._data.partition(b"\r\n\r\n")[2].splitlines()
        return [str(json.loads(line)["type"]) for line in lines if line.startswith(b"{")]
