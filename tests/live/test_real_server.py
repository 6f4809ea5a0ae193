"""One server with real workers: every transport tells the same story of the same run."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import websockets

from tests.servers import processes
from tests.servers.installation import Installation

Event = dict[str, Any]


@pytest.fixture(scope="module")
def server(on_postgresql: bool) -> Iterator[Installation]:
    """On the channel layer of its database; the other tests of the suite on PostgreSQL use Redis."""
    installation = Installation(postgresql=on_postgresql, REDIS_URL="")
    yield installation.start()
    assert not installation.remove()


async def over_socket(server: Installation, run_id: str, after: int = 0) -> AsyncIterator[Event]:
    url = f"{server.base_url.replace('http', 'ws', 1)}/ws/runs/{run_id}/?after={after}"
    async with websockets.connect(url, subprotocols=[f"perdure.token.{server.token}", "perdure"], proxy=None) as socket:  # type: ignore[list-item]
        async for message in socket:
            yield json.loads(message)
        assert socket.close_code == 1000


async def over_http(server: Installation, run_id: str, accept: str, after: int = 0) -> AsyncIterator[Event]:
    headers = {"Authorization": f"Bearer {server.token}", "Accept": accept, "Last-Event-ID": str(after)}
    async with (
        httpx.AsyncClient(timeout=90, trust_env=False) as client,
        client.stream("GET", f"{server.base_url}/api/runs/{run_id}/events", headers=headers) as response,
    ):
        assert response.status_code == 200
        async for line in response.aiter_lines():
            text = line.removeprefix("data: ")
            if text.startswith("{"):
                yield json.loads(text)


async def read(
    events: AsyncIterator[Event], frames: int | None = None, begun: asyncio.Event | None = None
) -> list[Event]:
    """All events, or those up to the n-th stream frame: then the connection is dropped. `begun` is set at the first."""
    found = []
    async with asyncio.timeout(150):
        async for event in events:
            found.append(event)
            if begun is not None:
                begun.set()
            if frames is not None and sum(each["type"] == "stream" for each in found) >= frames:
                await events.aclose()  # type: ignore[attr-defined]
                break
    return found


async def read_together(server: Installation, run_id: str, *streams: AsyncIterator[Event]) -> list[list[Event]]:
    """What each reads; the run begins to stream when all of them follow it."""
    begun = [asyncio.Event() for _ in streams]
    reading = asyncio.gather(*(read(stream, begun=one) for stream, one in zip(streams, begun, strict=True)))
    async with asyncio.timeout(150):
        for one in begun:
            await one.wait()
    answer = await asyncio.to_thread(server.request, "POST", f"/api/runs/{run_id}/signals/", json={"name": "begin"})
    assert answer.status_code == 201, answer.text
    return await reading


def text_of(events: list[Event]) -> str:
    """What a page shows: a reset clears the text."""
    text = ""
    for event in events:
        if event["type"] == "stream:reset":
            text = ""
        elif event["type"] == "stream":
            text += event["data"]
    return text


def numbered(events: list[Event]) -> list[Event]:
    return [event for event in events if event.get("sequence") is not None]


async def test_every_transport_gives_the_same_events_and_the_same_text(server: Installation) -> None:
    await asyncio.to_thread(lambda: server.token)
    job = {"words": 60, "pause_seconds": 0.02, "on_signal": True}
    run_id = await asyncio.to_thread(server.start_run, "stream-words", job)
    socket, sse, lines = await read_together(
        server, run_id, over_socket(server, run_id), over_http(server, run_id, "text/event-stream"),
        over_http(server, run_id, "application/x-ndjson"),
    )  # fmt: skip
    recorded = await asyncio.to_thread(server.events, run_id)
    output = (await asyncio.to_thread(server.run, run_id))["output"]
    for events in (socket, sse, lines):
        assert numbered(events) == recorded
        assert text_of(events) == output
        assert [event["type"] for event in events].count("stream:reset") == 1
    assert [event["sequence"] for event in recorded] == list(range(1, len(recorded) + 1))
    assert recorded[-1]["type"] == "run:complete"


async def test_a_reload_at_any_point_shows_the_whole_text_and_each_event_once(
    server: Installation, tmp_path: Path
) -> None:
    await asyncio.to_thread(lambda: server.token)
    gate = tmp_path / "gate"
    job = {"words": 80, "pause_seconds": 0.03, "hold_at": 50, "gate": str(gate)}
    run_id = await asyncio.to_thread(server.start_run, "stream-words", job)
    held: list[Event] = []
    for point in (5, 20, 45, None):
        if point is None:
            gate.touch()
        after = numbered(held)[-1]["sequence"] if held else 0
        part = await read(over_socket(server, run_id, after), frames=point)
        if point is not None:
            assert text_of(part).split() == [f"a1w{number}" for number in range(point)]
        held += numbered(part)
    assert text_of(part) == (await asyncio.to_thread(server.run, run_id))["output"]
    assert held == await asyncio.to_thread(server.events, run_id)


async def test_a_retried_stream_is_reset_and_shows_only_the_second_attempt(server: Installation) -> None:
    await asyncio.to_thread(lambda: server.token)
    job = {"words": 20, "pause_seconds": 0.02, "fail_after": 10, "on_signal": True}
    run_id = await asyncio.to_thread(server.start_run, "stream-words", job)
    [events] = await read_together(server, run_id, over_http(server, run_id, "text/event-stream"))
    events = [event for event in events if event["type"] == "stream:reset" or event.get("step") == "words"]
    types = [event["type"] for event in events]
    assert types.count("stream:reset") == 2
    assert text_of(events) == (await asyncio.to_thread(server.run, run_id))["output"]
    ends = [place for place, kind in enumerate(types) if kind in ("step:retry", "step:complete")]
    frames = [place for place, kind in enumerate(types) if kind == "stream"]
    assert len([place for place in frames if place < ends[0]]) == 10
    assert len([place for place in frames if ends[0] < place < ends[1]]) == 20


async def test_fifty_sockets_follow_one_run(server: Installation) -> None:
    await asyncio.to_thread(lambda: server.token)
    job = {"words": 100, "pause_seconds": 0.02, "on_signal": True}
    run_id = await asyncio.to_thread(server.start_run, "stream-words", job)
    followed = await read_together(server, run_id, *(over_socket(server, run_id) for _ in range(50)))
    output = (await asyncio.to_thread(server.run, run_id))["output"]
    assert {text_of(events) for events in followed} == {output}
    assert all(numbered(events) == numbered(followed[0]) for events in followed)


async def test_the_server_lives_after_bad_frames_and_sudden_ends(server: Installation) -> None:
    await asyncio.to_thread(lambda: server.token)
    url = f"{server.base_url.replace('http', 'ws', 1)}/ws/runs/"
    for _ in range(20):
        async with websockets.connect(url, proxy=None) as socket:
            await socket.send("x" * 70_000)
            said = json.loads(await socket.recv())
            assert said["error"]["code"] == "message_too_big", server.log
            await socket.wait_closed()
            assert socket.close_code == 4413
        socket = await websockets.connect(url, proxy=None)
        socket.transport.abort()
    answer = await asyncio.to_thread(server.request, "GET", "/api/runs/")
    assert answer.status_code == 200
    assert "Traceback" not in server.log


WRITE_LOG = """
from django.utils import timezone
from runs.models import Event, Run
run, size, count = Run.objects.get(pk="{run}"), 10_000, 3_000
first, now = run.last_sequence + 1, timezone.now()
Event.objects.bulk_create(
    Event(run=run, sequence=number, type="log:write", data=dict(message="x" * size), created_at=now)
    for number in range(first, first + count)
)
Run.objects.filter(pk=run.pk).update(last_sequence=first + count - 1)
"""
_UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


def _memory_high_water(pid: int) -> int:
    """The largest resident size so far, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def _busy_seconds(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _has_stopped_working(pid: int) -> bool:
    before = _busy_seconds(pid)
    time.sleep(0.5)
    return _busy_seconds(pid) - before <= 5


@pytest.fixture(scope="module")
def long_run(server: Installation) -> str:
    """An ended run whose log was made 30 MB long."""
    run_id = server.start_run("stream-words", {"words": 1, "pause_seconds": 0})
    server.wait_for_status(run_id, "completed")
    server.manage("shell", "-c", WRITE_LOG.format(run=run_id))
    return run_id


@pytest.mark.parametrize("door", ["/api/runs/{run}/events", "/ws/runs/{run}/"])
def test_the_server_waits_for_a_client_that_does_not_read(server: Installation, long_run: str, door: str) -> None:
    (web,) = [pid for pid in server.pids() if "daphne" in processes.command_line(pid)]
    address = urlsplit(server.base_url)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        client.settimeout(60)
        client.connect((address.hostname, address.port))
        before = _memory_high_water(web)
        client.sendall(
            f"GET {door.format(run=long_run)} HTTP/1.1\r\nHost: {address.netloc}\r\nAccept: application/x-ndjson\r\n"
            f"{_UPGRADE if '/ws/' in door else ''}Authorization: Bearer {server.token}\r\n"
            f"Sec-WebSocket-Protocol: perdure.token.{server.token}\r\n\r\n".encode()
        )
        client.recv(1)
        server.wait_for(lambda: _has_stopped_working(web), 60, "pause of the web process")
        grown = _memory_high_water(web) - before
        assert _read_lines(client, 3_000)
    assert grown < 20 * 2**20, f"{grown / 2**20:.0f} MiB of a log of 30 MB are in the server's memory"


def _read_lines(client: socket.socket, count: int) -> bool:
    """Whether that many lines of the log come."""
    found, rest = 0, b""
    while found < count and (part := client.recv(2**20)):
        pieces = (rest + part).split(b'"log:write"')
        found, rest = found + len(pieces) - 1, pieces[-1][-20:]
    return found == count
