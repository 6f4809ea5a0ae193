"""Frames reach only those who watch, can be asked for again, and stay within their memory."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import override_settings

from runs.events.bus import DRIVERS, READERS, Bus, Message, make_bus, reader_topic
from runs.worker.frames import Frames

EPOCH, ATTEMPT, STEP = 4, 1, "write"


class HeldLease:
    holds = True


class Reader:
    """A reader process on the real bus."""

    def __init__(self, bus: Bus, run: UUID) -> None:
        self.bus, self.run = bus, run
        self.heard: list[dict[str, Any]] = []
        self.asked = asyncio.Event()

    async def start(self) -> None:
        await self.bus.subscribe(reader_topic("reader"), self._hear)
        await self.bus.subscribe(READERS, lambda message: self.asked.set())

    def _hear(self, message: Message) -> None:
        self.heard += message["parts"]

    async def watch(self, *runs: UUID) -> None:
        interest = {"kind": "interest", "reader": "reader", "runs": [str(run) for run in runs]}
        await self.bus.publish(DRIVERS, interest)

    async def request(self, **fields: Any) -> None:
        message = {"kind": "request", "reader": "reader", "to": "follower", "run": str(self.run), "step": None}
        await self.bus.publish(DRIVERS, message | fields)

    def texts(self, **having: Any) -> list[str]:
        found = [message for message in self.heard if message["kind"] == "frames"]
        fitting = [message for message in found if having.items() <= message.items()]
        return [frame["data"] for message in fitting for frame in message["frames"]]

    async def until(self, look: Callable[[], Any]) -> None:
        async with asyncio.timeout(60):
            while not look():
                await asyncio.sleep(0.005)


@pytest.fixture
async def lease() -> HeldLease:
    return HeldLease()


@pytest.fixture
async def reader() -> AsyncIterator[Reader]:
    bus = make_bus()
    made = Reader(bus, uuid4())
    await made.start()
    yield made
    await bus.close()


@pytest.fixture
async def frames(lease: HeldLease, reader: Reader) -> AsyncIterator[Frames]:
    bus = make_bus()
    made = Frames(bus, lease)
    await made.start()
    yield made
    await made.stop()
    await bus.close()


def _emit(frames: Frames, run: UUID, *texts: str, epoch: int = EPOCH, attempt: int = ATTEMPT) -> None:
    emit = frames.emitter(run, STEP, epoch, attempt)
    for text in texts:
        emit(json.dumps(text).encode())


async def _watched(frames: Frames, reader: Reader) -> None:
    await reader.watch(reader.run)
    await reader.until(lambda: frames._interest.watched(str(reader.run)))


async def test_a_new_driver_asks_who_watches(frames: Frames, reader: Reader) -> None:
    async with asyncio.timeout(60):
        await reader.asked.wait()


async def test_frames_of_a_watched_run_are_gathered_and_numbered(frames: Frames, reader: Reader) -> None:
    await _watched(frames, reader)
    frames.open(reader.run, STEP, EPOCH, ATTEMPT)
    writers = [threading.Thread(target=_emit, args=(frames, reader.run, *"abc")) for _ in range(5)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    await reader.until(lambda: len(reader.texts()) == 15)
    messages = [message for message in reader.heard if message["kind"] == "frames"]
    offsets = [frame["offset"] for message in messages for frame in message["frames"]]
    assert offsets == list(range(15))
    assert len(messages) <= 3, "frames of one moment travel together"
    assert frames.count(reader.run, STEP, EPOCH, ATTEMPT) == 15


async def test_nothing_is_sent_for_a_run_that_nobody_watches(frames: Frames, reader: Reader) -> None:
    other = uuid4()
    await _watched(frames, reader)
    frames.open(other, STEP, EPOCH, ATTEMPT)
    frames.open(reader.run, STEP, EPOCH, ATTEMPT)
    _emit(frames, other, "unseen")
    frames.ring({other: 3, reader.run: 8})
    _emit(frames, reader.run, "seen")
    await reader.until(lambda: reader.texts() and any(m["kind"] == "doorbell" for m in reader.heard))
    assert [message["last"] for message in reader.heard if message["kind"] == "doorbell"] == [8]
    assert {message["run"] for message in reader.heard} == {str(reader.run)}


async def test_everything_emitted_is_on_the_bus_after_a_flush(frames: Frames, reader: Reader) -> None:
    await _watched(frames, reader)
    frames.open(reader.run, STEP, EPOCH, ATTEMPT)
    with override_settings(RUNS_FRAME_GATHER_SECONDS=60):
        _emit(frames, reader.run, "a", "b")
        await frames.flush(reader.run)
        await reader.until(lambda: reader.texts() == ["a", "b"])


async def test_a_late_reader_gets_the_frames_of_the_open_attempt(frames: Frames, reader: Reader) -> None:
    frames.open(reader.run, STEP, EPOCH, 1)
    _emit(frames, reader.run, "old", attempt=1)
    frames.close(reader.run, STEP, EPOCH, 1)
    frames.open(reader.run, STEP, EPOCH, 2)
    _emit(frames, reader.run, "a", "b", attempt=2)
    await _watched(frames, reader)
    await reader.request()
    await reader.until(lambda: reader.texts(to="follower", complete=True, truncated=None) == ["a", "b"])
    _emit(frames, reader.run, "c", attempt=2)
    await reader.until(lambda: reader.texts(to=None) == ["c"])


async def test_missing_frames_of_an_ended_attempt_can_be_asked_for(frames: Frames, reader: Reader) -> None:
    frames.open(reader.run, STEP, EPOCH, ATTEMPT)
    _emit(frames, reader.run, *"abcd")
    frames.close(reader.run, STEP, EPOCH, ATTEMPT)
    await reader.request(step=STEP, epoch=EPOCH, attempt=ATTEMPT, offset=2)
    await reader.until(lambda: reader.texts(to="follower") == ["c", "d"])


async def test_a_buffer_that_lost_its_head_says_where_it_begins(reader: Reader, lease: HeldLease) -> None:
    with override_settings(RUNS_ATTEMPT_BUFFER_BYTES=30):
        bus = make_bus()
        frames = Frames(bus, lease)
        await frames.start()
        frames.open(reader.run, STEP, EPOCH, ATTEMPT)
        _emit(frames, reader.run, *["x" * 8] * 10)
        await reader.request(step=STEP, epoch=EPOCH, attempt=ATTEMPT, offset=0)
        await reader.until(lambda: reader.texts(truncated=7) == ["x" * 8] * 3)
        await frames.stop()
        await bus.close()


async def test_all_attempts_together_stay_within_the_process_limit(reader: Reader, lease: HeldLease) -> None:
    with override_settings(RUNS_PROCESS_BUFFER_BYTES=50):
        bus = make_bus()
        frames = Frames(bus, lease)
        await frames.start()
        for attempt in (1, 2):
            frames.open(reader.run, STEP, EPOCH, attempt)
            _emit(frames, reader.run, *["x" * 8] * 4, attempt=attempt)
        for attempt in (1, 2):
            await reader.request(step=STEP, epoch=EPOCH, attempt=attempt, offset=0)
        await reader.until(lambda: len(reader.texts(attempt=2)) == 4)
        assert len(reader.texts(attempt=1, truncated=3)) == 1, "the oldest attempt lost its frames first"
        await frames.stop()
        await bus.close()


async def test_large_answers_come_in_parts(frames: Frames, reader: Reader) -> None:
    frames.open(reader.run, STEP, EPOCH, ATTEMPT)
    _emit(frames, reader.run, *["x" * 200_000] * 4)
    await reader.request(step=STEP, epoch=EPOCH, attempt=ATTEMPT, offset=0)
    await reader.until(lambda: any(message["complete"] for message in reader.heard))
    assert [message["complete"] for message in reader.heard] == [False, False, False, True]


async def test_a_process_without_its_lease_sends_nothing(frames: Frames, reader: Reader, lease: HeldLease) -> None:
    await _watched(frames, reader)
    frames.open(reader.run, STEP, EPOCH, ATTEMPT)
    lease.holds = False
    _emit(frames, reader.run, "zombie")
    await frames.flush(reader.run)
    await reader.request()
    frames.drop_run(reader.run)
    lease.holds = True
    frames.open(reader.run, STEP, EPOCH + 1, ATTEMPT)
    _emit(frames, reader.run, "alive", epoch=EPOCH + 1)
    await reader.until(lambda: reader.texts())
    assert set(reader.texts()) == {"alive"}


async def test_frames_of_a_dropped_run_are_forgotten(frames: Frames, reader: Reader) -> None:
    await _watched(frames, reader)
    frames.open(reader.run, STEP, EPOCH, ATTEMPT)
    frames.drop_run(reader.run)
    _emit(frames, reader.run, "late")
    assert frames.count(reader.run, STEP, EPOCH, ATTEMPT) == 0
    await reader.request()
    frames.ring({reader.run: 1})
    await reader.until(lambda: reader.heard)
    assert reader.texts() == []


async def test_interest_that_is_not_repeated_runs_out(reader: Reader, lease: HeldLease) -> None:
    with override_settings(RUNS_INTEREST_SECONDS=0.1):
        bus = make_bus()
        frames = Frames(bus, lease)
        await frames.start()
        await _watched(frames, reader)
        await reader.until(lambda: not frames._interest.watched(str(reader.run)))
        await frames.stop()
        await bus.close()


async def test_unreadable_messages_are_survived(frames: Frames, reader: Reader) -> None:
    for message in ({"kind": "interest"}, {"kind": "request", "run": "no id", "reader": "r"}, {"kind": "unknown"}):
        await reader.bus.publish(DRIVERS, message)
    await _watched(frames, reader)
    frames.open(reader.run, STEP, EPOCH, ATTEMPT)
    _emit(frames, reader.run, "fine")
    await reader.until(lambda: reader.texts() == ["fine"])
