"""Followers and drivers for the live tests."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import override_settings

from perdure.asgi import application
from runs.events import doorbell
from runs.events.bus import make_bus
from runs.events.types import RunEvent
from runs.live import feed
from runs.live.follow import follow
from runs.worker.frames import Frames
from tests.live.people import Person
from tests.live.sockets import HOST, Socket

BUSES = ["runs.live.bus.LayerBus"] + [
    f"tests.live.buses.{name}Bus" for name in ("Dropping", "Repeating", "Reordering", "Leaky")
]


SECONDS_AT_MOST = 60
"""Long: a loaded machine is slow, and nothing is learned from how long a failing test waits."""


class Lease:
    holds = True


def speak(driver: Frames, run_id: UUID, step: str, epoch: int, attempt: int, data: Any) -> None:
    """One emit of a step."""
    driver.emitter(run_id, step, epoch, attempt)(json.dumps(data).encode())


async def until(condition: Callable[[], Any]) -> None:
    """Wait for what another task or thread brings about."""
    async with asyncio.timeout(SECONDS_AT_MOST):
        while not condition():
            await asyncio.sleep(0.01)


async def until_watched(driver: Frames, run_id: UUID) -> None:
    """A follower's interest travels over the bus: what is emitted before it arrives is sent only to who asks for it."""
    await until(lambda: driver._interest.watched(str(run_id)))


class Reader:
    """A follower that collects in a task of its own."""

    def __init__(self, run_id: UUID, after: int = 0) -> None:
        self.events: list[RunEvent] = []
        self.task = asyncio.create_task(self._read(run_id, after))
        self._arrived = asyncio.Condition()

    async def _read(self, run_id: UUID, after: int) -> None:
        async for event in follow(run_id, after):
            async with self._arrived:
                self.events.append(event)
                self._arrived.notify_all()

    async def until(self, condition: Callable[[list[RunEvent]], bool]) -> None:
        async with asyncio.timeout(SECONDS_AT_MOST), self._arrived:
            await self._arrived.wait_for(lambda: condition(self.events))

    async def end(self) -> list[RunEvent]:
        async with asyncio.timeout(SECONDS_AT_MOST):
            await self.task
        return self.events

    @property
    def sequences(self) -> list[int]:
        return [event.sequence for event in self.events if event.sequence is not None]

    @property
    def types(self) -> list[str]:
        return [str(event.type) for event in self.events]

    def text(self, step: str) -> str:
        """What a page shows of a streaming step: resets clear it."""
        text = ""
        for event in self.events:
            if event.step == step and event.type == "stream:reset":
                text = ""
            elif event.step == step and event.type == "stream":
                text += event.data  # type: ignore[operator]
        return text


@pytest.fixture
async def connect() -> AsyncIterator[Any]:
    opened: list[Socket] = []

    async def open_one(path: str, person: Person | None = None, token: str | None = None) -> Socket:
        headers = [HOST]
        if person is not None:
            headers = [*headers, (b"cookie", f"sessionid={person.session_key}".encode())]
        offered = [f"perdure.token.{token}", "perdure"] if token else None
        socket = Socket(application, path, headers=headers, subprotocols=offered)
        opened.append(socket)
        accepted, protocol = await socket.connect(timeout=SECONDS_AT_MOST)
        assert accepted
        assert protocol == ("perdure" if token else None)
        return socket

    yield open_one
    for socket in opened:
        await socket.disconnect()


@pytest.fixture
async def driver(bus: str) -> AsyncIterator[Frames]:
    """The frame sink of a worker, on a bus of its own."""
    own = make_bus()
    sink = Frames(own, Lease())
    await sink.start()
    yield sink
    await sink.stop()
    await own.close()


@pytest.fixture
def bus(request: pytest.FixtureRequest) -> Iterator[str]:
    """The bus in force; parametrise it indirectly with one of BUSES."""
    name = str(getattr(request, "param", BUSES[0]))
    with override_settings(RUNS_BUS=name):
        yield name


@pytest.fixture(autouse=True)
def _rows_are_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow test would hear a row again before the message that it waits for."""
    monkeypatch.setattr(feed, "AGAIN_SECONDS", 3600.0)


@pytest.fixture(autouse=True)
async def _nothing_stays_open() -> AsyncIterator[None]:
    """Watcher, channel layer and doorbell hold connections, and the test database is emptied after each test."""
    yield
    mine = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not mine and task.get_name() != "postgresql-connect"]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.gather(*(asyncio.all_tasks() - {mine}), return_exceptions=True)
    await sync_to_async(connections.close_all)()
    doorbell.hang_up()
