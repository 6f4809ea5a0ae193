"""Stream frames and doorbells from this process to those who watch its runs.

Frames of all runs are gathered for some milliseconds, and each reader process is sent what it watches in one message;
the bus may lose it, and followers then ask for the rest. A process whose lease may have run out sends nothing: another
one may drive its runs.
"""

import asyncio
import contextlib
import contextvars
import logging
import threading
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from runs import clock
from runs.conf import get_settings
from runs.events.bus import DRIVERS, READERS, Bus, Message, reader_topic
from runs.worker.buffers import Attempt, Buffers, Key, in_parts, label, leading
from runs.worker.interest import Interest
from runs.worker.outbox import MESSAGE_BYTES, Outbox, as_asked, doorbell_part, frames_part, news

log = logging.getLogger(__name__)

PAUSE_FACTOR = 20
PAUSE_SECONDS_AT_MOST = 0.15
"""A gathering that took long is followed by a longer one, so that sending takes a twentieth of the time at most: more
frames of each run then travel together, which costs less for each."""


class HoldsLease(Protocol):
    """Whether this process may still speak for its runs."""

    @property
    def holds(self) -> bool: ...


class Frames:
    """The driver's frame sink. Made in the driver's loop; `open` to `drop_run` may be called from any thread."""

    def __init__(self, bus: Bus, lease: HoldsLease) -> None:
        self._bus = bus
        self._lease = lease
        self._loop = asyncio.get_running_loop()
        # Sending is the driver's own work: it must not look like a task of the job that emits.
        self._context = contextvars.copy_context()
        self._buffers = Buffers()
        self._interest = Interest()
        self._guard = threading.Lock()
        self._dirty: dict[Attempt, None] = {}
        self._bells: dict[UUID, int] = {}
        self._called = False
        self._pause = 0.0
        self._sending = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._unsubscribe: Callable[[], Awaitable[None]] | None = None

    async def start(self) -> None:
        """Listen to readers, then ask who watches what."""
        self._unsubscribe = await self._bus.subscribe(DRIVERS, self._hear)
        await self._bus.publish(READERS, {"kind": "interest?"})

    async def stop(self) -> None:
        """Send what is gathered, then fall silent."""
        await self._send_gathered()
        if self._unsubscribe is not None:
            await self._unsubscribe()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --------------------------------------------------------------------------------------- what the kernel calls
    def open(self, run_id: UUID, step: str, epoch: int, attempt: int) -> None:
        self._buffers.open(Key(run_id, step, epoch, attempt))

    def emitter(self, run_id: UUID, step: str, epoch: int, attempt: int) -> Callable[[bytes], None]:
        found = self._buffers.find(Key(run_id, step, epoch, attempt))
        return partial(self._emit, found) if found is not None else _drop

    def _emit(self, attempt: Attempt, data: bytes) -> None:
        # Those that are dirty already ride along: what was appended before the gathering looks is sent by it.
        if not self._buffers.append(attempt, data) or attempt in self._dirty:
            return
        if self._interest.watched(attempt.run):
            self._gather({attempt: None}, {})
        else:
            self._buffers.skip(attempt)

    async def flush(self, run_id: UUID) -> None:
        """With the frames of all runs: many steps that end at the same moment wait for one message."""
        async with self._sending:
            if any(attempt.key.run == run_id for attempt in list(self._dirty)):
                await self._send_dirty()

    def count(self, run_id: UUID, step: str, epoch: int, attempt: int) -> int:
        return self._buffers.count(Key(run_id, step, epoch, attempt))

    def close(self, run_id: UUID, step: str, epoch: int, attempt: int) -> None:
        self._buffers.close(Key(run_id, step, epoch, attempt))

    def drop_run(self, run_id: UUID) -> None:
        self._buffers.drop_run(run_id)

    def ring(self, committed: dict[UUID, int]) -> None:
        """Doorbells after a commit, `{run: last sequence}`, for watched runs; any thread."""
        watched = {run: last for run, last in committed.items() if self._interest.watched(str(run))}
        if watched:
            self._gather({}, watched)

    # ----------------------------------------------------------------------------------------------------- sending
    def _gather(self, dirty: dict[Attempt, None], bells: dict[UUID, int]) -> None:
        """Remember what to send; the first one calls the loop, all others of the same moment ride along."""
        with self._guard:  # the loop takes both away under it: what went into a taken one would be sent by nobody
            self._dirty.update(dirty)
            self._bells.update(bells)
            called, self._called = self._called, True
        if not called:
            with contextlib.suppress(RuntimeError):  # the loop has ended; a thread that was given up still emits
                self._loop.call_soon_threadsafe(self._start, self._send_soon, context=self._context)

    def _start(self, what: Callable[..., Any], *args: Any) -> None:
        task: asyncio.Task[None] = self._loop.create_task(what(*args))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_soon(self) -> None:
        if not self._only_bells():
            await asyncio.sleep(max(get_settings().frame_gather_seconds, self._pause))
        began_at = clock.monotonic()
        await self._send_gathered()
        self._pause = min(PAUSE_SECONDS_AT_MOST, (clock.monotonic() - began_at) * PAUSE_FACTOR)

    def _only_bells(self) -> bool:
        with self._guard:
            return bool(self._bells) and not self._dirty

    async def _send_gathered(self) -> None:
        async with self._sending:
            await self._send_dirty()

    async def _send_dirty(self) -> None:
        with self._guard:
            self._called = False
            dirty, self._dirty = self._dirty, {}
            bells, self._bells = self._bells, {}
        outbox = Outbox()
        for attempt in dirty:
            self._put(attempt, outbox)
        for run, last in bells.items():
            outbox.put(self._interest.readers_of(str(run)), doorbell_part(run, last))
        for reader, text in outbox.messages():
            await self._send(reader, text)

    def _put(self, attempt: Attempt, outbox: Outbox) -> None:
        readers = self._interest.readers_of(attempt.run)
        if not readers:
            self._buffers.skip(attempt)
        elif self._lease.holds and (frames := self._buffers.unsent(attempt)):
            for part in in_parts(frames, MESSAGE_BYTES):
                outbox.put(readers, frames_part(attempt.label, part))

    async def _send(self, reader: str, text: str) -> None:
        if not self._lease.holds:
            return
        try:
            await self._bus.publish_text(reader_topic(reader), text)
        except Exception as exc:
            log.warning("Live messages for reader %s were lost: %s. Followers read on from the log.", reader, exc)

    # ----------------------------------------------------------------------------------------------------- hearing
    def _hear(self, message: Message) -> None:
        try:
            if message.get("kind") == "interest":
                self._interest.hear(message)
            elif message.get("kind") == "request":
                self._start(self._answer, message)
        except (KeyError, ValueError, TypeError):
            log.warning("A message on the bus could not be read: %.200r", message)

    async def _answer(self, message: Message) -> None:
        """Frames that a follower lacks. Silent for attempts that this process does not hold: another one may."""
        run, reader, to = UUID(str(message["run"])), str(message["reader"]), str(message["to"])
        most = int(message.get("most") or 0)
        for key, offset in self._asked_for(run, message):
            held = self._buffers.held(key, offset)
            if held is None:
                continue
            frames, truncated = held
            wanted = leading(frames, most) if most else frames
            more = len(wanted) < len(frames)
            parts = list(in_parts(wanted, MESSAGE_BYTES))
            for number, part in enumerate(parts, start=1):
                asked = as_asked(to, truncated, complete=number == len(parts), more=more)
                await self._send(reader, news([frames_part(label(key), part, asked)]))

    def _asked_for(self, run: UUID, message: Message) -> Iterable[tuple[Key, int]]:
        if message.get("step") is None:
            return [(key, 0) for key in self._buffers.open_attempts(run)]
        key = Key(run, str(message["step"]), int(message["epoch"]), int(message["attempt"]))
        return [(key, int(message.get("offset") or 0))]


def _drop(data: bytes) -> None:
    """The run left this process before its step began."""
