"""Stream frames and doorbells from this process to those who watch its runs.

Frames of all runs are gathered for some milliseconds and sent together; the bus may lose them, and followers then ask
for the rest. A process whose lease may have run out sends nothing: another one may drive its runs.
"""

import asyncio
import contextlib
import contextvars
import logging
import threading
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol
from uuid import UUID

from runs.conf import get_settings
from runs.events.bus import DRIVERS, READERS, Bus, Message, run_topic
from runs.worker.buffers import Buffers, Frame, Key, in_parts
from runs.worker.interest import Interest

log = logging.getLogger(__name__)

MESSAGE_BYTES = 256 * 1024


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
        self._dirty: dict[UUID, None] = {}
        self._bells: dict[UUID, int] = {}
        self._called = False
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

    def emit(self, run_id: UUID, step: str, epoch: int, attempt: int, data: Any, size: int) -> None:
        key = Key(run_id, step, epoch, attempt)
        if not self._buffers.append(key, data, size):
            return
        if self._interest.watched(run_id):
            self._gather({run_id: 0}, self._dirty)
        else:
            self._buffers.skip(key)

    async def flush(self, run_id: UUID) -> None:
        if self._interest.watched(run_id):
            async with self._sending:
                await self._send_run(run_id)

    def count(self, run_id: UUID, step: str, epoch: int, attempt: int) -> int:
        return self._buffers.count(Key(run_id, step, epoch, attempt))

    def close(self, run_id: UUID, step: str, epoch: int, attempt: int) -> None:
        self._buffers.close(Key(run_id, step, epoch, attempt))

    def drop_run(self, run_id: UUID) -> None:
        self._buffers.drop_run(run_id)

    def ring(self, committed: dict[UUID, int]) -> None:
        """Doorbells after a commit, `{run: last sequence}`, for watched runs; called in the writer's thread."""
        watched = {run: last for run, last in committed.items() if self._interest.watched(run)}
        if watched:
            self._gather(watched, self._bells)

    # ----------------------------------------------------------------------------------------------------- sending
    def _gather(self, found: dict[UUID, int], into: dict[UUID, Any]) -> None:
        """Remember what to send; the first one calls the loop, all others of the same moment ride along."""
        with self._guard:
            into.update(found)
            called, self._called = self._called, True
        if not called:
            with contextlib.suppress(RuntimeError):  # the loop has ended; a thread that was given up still emits
                self._loop.call_soon_threadsafe(self._start, self._send_soon, context=self._context)

    def _start(self, what: Callable[..., Any], *args: Any) -> None:
        task: asyncio.Task[None] = self._loop.create_task(what(*args))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_soon(self) -> None:
        if self._only_bells():
            return await self._send_gathered()
        await asyncio.sleep(get_settings().frame_gather_seconds)
        await self._send_gathered()

    def _only_bells(self) -> bool:
        with self._guard:
            return bool(self._bells) and not self._dirty

    async def _send_gathered(self) -> None:
        with self._guard:
            self._called = False
            runs, self._dirty = self._dirty, {}
            bells, self._bells = self._bells, {}
        async with self._sending:
            for run in runs:
                await self._send_run(run)
            for run, last in bells.items():
                await self._send(run, {"kind": "doorbell", "run": str(run), "last": last})

    async def _send_run(self, run: UUID) -> None:
        for key in self._buffers.keys_of(run):
            while self._lease.holds and (frames := self._buffers.unsent(key, MESSAGE_BYTES)):
                await self._send(run, _message(key, frames, complete=False))

    async def _send(self, run: UUID, message: Message) -> None:
        if not self._lease.holds:
            return
        try:
            await self._bus.publish(run_topic(run), message)
        except Exception as exc:
            log.warning("Live messages of run %s were lost: %s. Followers read on from the log.", run, exc)

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
        run, reader = UUID(str(message["run"])), str(message["reader"])
        for key, offset in self._asked_for(run, message):
            held = self._buffers.held(key, offset)
            if held is None:
                continue
            frames, truncated = held
            parts = list(in_parts(frames, MESSAGE_BYTES))
            for number, part in enumerate(parts, start=1):
                answer = _message(key, part, complete=number == len(parts))
                await self._send(run, answer | {"to": reader, "truncated": truncated})

    def _asked_for(self, run: UUID, message: Message) -> Iterable[tuple[Key, int]]:
        if message.get("step") is None:
            return [(key, 0) for key in self._buffers.open_attempts(run)]
        key = Key(run, str(message["step"]), int(message["epoch"]), int(message["attempt"]))
        return [(key, int(message.get("offset") or 0))]


def _message(key: Key, frames: list[Frame], complete: bool) -> Message:
    return {
        "kind": "frames", "run": str(key.run), "step": key.step, "epoch": key.epoch, "attempt": key.attempt,
        "frames": [frame.as_message() for frame in frames], "to": None, "truncated": None, "complete": complete,
    }  # fmt: skip
