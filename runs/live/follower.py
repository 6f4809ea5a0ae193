"""The state of one connection that follows a run: what it was sent, what is still owed, and when to look again.

It subscribes first, replays the log, then goes on live. The log is the truth: numbers are contiguous, and whatever
the bus loses, repeats or reorders is healed from the log, the last event included.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from runs import clock
from runs.errors import RunNotFound
from runs.events.bus import Message
from runs.events.types import EventType, LiveType, RunEvent
from runs.live.asking import ASK_SECONDS, Asking
from runs.live.reads import Head
from runs.live.streams import Streams
from runs.live.watcher import Watcher

FRAMES_WAIT_SECONDS = 0.5
"""How long the end of a streaming step waits for its last frames; its output is the truth anyway."""
INBOX_BYTES = 2 * 1024 * 1024
_ASK_NO_OLDER_THAN = timedelta(seconds=5)
_STEP_ENDS = frozenset({EventType.STEP_COMPLETE, EventType.STEP_FAIL, EventType.STEP_RETRY, EventType.STEP_CANCEL})

Events = list[RunEvent]


class _Arrival(NamedTuple):
    number: int
    message: Message
    weight: int


class Follower:
    """Memory is bounded: the log is read in pages, and frames that find no room are dropped and asked for again."""

    __slots__ = (
        "_arrivals", "_asking", "_changed", "_cursor", "_deleted", "_ended", "_first", "_inbox", "_inbox_bytes",
        "_last", "_read_at_arrival", "_replay_until", "_run_id", "_stopped", "_streams", "_timer", "_watcher",
    )  # fmt: skip

    def __init__(self, watcher: Watcher, run_id: UUID, after: int) -> None:
        self._watcher = watcher
        self._run_id = run_id
        self._asking = Asking(watcher, run_id)
        self._cursor = after
        self._last = 0
        self._first = 1
        self._ended = False
        self._deleted = False
        self._stopped = False
        self._replay_until = 0
        self._streams = Streams(run_id)
        self._inbox: deque[_Arrival] = deque()
        self._inbox_bytes = 0
        self._arrivals = 0
        self._read_at_arrival = 0
        self._changed = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    # What the watcher calls --------------------------------------------------------------------------------------

    def see_head(self, head: Head | None) -> None:
        if head is None:
            self._deleted = True
        else:
            self._first = max(self._first, head.first_sequence)
            self._last = max(self._last, head.last_sequence)
            self._ended = head.ended
            self._streams.epoch = max(self._streams.epoch, head.epoch)

    def see_last(self, last_sequence: int) -> None:
        self._last = max(self._last, last_sequence)

    def see_frames(self, message: Message, weight: int) -> None:
        to = message.get("to")
        if to is not None:
            if to != self._asking.name:
                return
            self._asking.answered()
        if self._inbox_bytes + weight > INBOX_BYTES:
            self._empty_inbox()
        self._arrivals += 1
        self._inbox.append(_Arrival(self._arrivals, message, weight))
        self._inbox_bytes += weight

    def wake(self) -> None:
        self._changed.set()

    def stop(self) -> None:
        """End without another event."""
        self._stopped = True
        self._changed.set()

    def _empty_inbox(self) -> None:
        """The client reads too slowly: only remember what exists, and ask for it when there is room."""
        for arrival in self._inbox:
            self._streams.note(arrival.message)
        self._inbox.clear()
        self._inbox_bytes = 0

    # What the transport iterates ---------------------------------------------------------------------------------

    async def batches(self, beat_seconds: float | None) -> AsyncGenerator[Events, None]:
        """All that there is to send at a moment; an empty list after each `beat_seconds` without anything."""
        head = await self._watcher.join(self._run_id, self)
        if head is None:
            raise RunNotFound(self._run_id)
        self.see_head(head)
        self._replay_until = head.last_sequence
        sent_at = clock.monotonic()
        while not self._stopped:
            self._changed.clear()
            async for batch in self._from_log():
                if self._has_stopped():
                    return
                yield batch
                sent_at = clock.monotonic()
            if self._stopped or await self._is_over():
                return
            if frames := self._from_inbox():
                yield frames
                sent_at = clock.monotonic()
            elif beat_seconds is not None and clock.monotonic() - sent_at >= beat_seconds:
                yield []
                sent_at = clock.monotonic()
            await self._asking.ask_first()
            for missing in self._streams.behind():
                await self._asking.ask(missing)
            if not self._changed.is_set():
                await self._wait(None if beat_seconds is None else sent_at + beat_seconds)

    async def leave(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._watcher.leave(self._run_id, self)

    async def _from_log(self) -> AsyncIterator[Events]:
        """All events up to the last known one, and for a frame of an unseen attempt what was written before it."""
        self._read_at_arrival = self._arrivals
        forced = any(self._streams.opens(arrival.message) for arrival in self._inbox)
        while (self._last > self._cursor or forced) and not self._deleted and not self._stopped:
            forced = False
            events = await self._watcher.read_log(self._run_id, self._cursor)
            if self._cursor + 1 < self._first or (events and events[0].sequence != self._cursor + 1):
                yield [await self._gap(events)]
                continue
            if not events:
                await self._correct_last()
            async for batch in self._with_frames(events):
                yield batch

    async def _with_frames(self, events: Events) -> AsyncIterator[Events]:
        """The events, and before the end of a step the frames that it owes."""
        batch: Events = []
        for event in events:
            if self._owes_frames(event):
                if batch:
                    yield batch
                batch = []
                async for frames in self._frames_before(event):
                    yield frames
            self._pass(event)
            batch.append(event)
        if batch:
            yield batch

    def _pass(self, event: RunEvent) -> None:
        assert event.sequence is not None
        self._cursor = event.sequence
        self._last = max(self._last, self._cursor)
        if event.type in _STEP_ENDS and event.step is not None:
            self._streams.end(event.step, event.attempt or 0)

    async def _gap(self, events: Events) -> RunEvent:
        """Pruning raises `first_sequence` and deletes in one transaction, so a fresh look explains every hole."""
        self.see_head(await self._watcher.look(self._run_id))
        first = self._first
        if self._cursor + 1 >= first and events and events[0].sequence is not None:
            first = events[0].sequence
        data = {"after": self._cursor, "first_sequence": first}
        self._cursor = max(self._cursor, first - 1)
        return RunEvent(type=LiveType.GAP, run_id=self._run_id, data=data)

    async def _correct_last(self) -> None:
        """Nothing is there although somebody said so. The row knows; a short rest, should it go on saying so."""
        head = await self._watcher.look(self._run_id)
        self.see_head(head)
        self._last = head.last_sequence if head else 0
        if self._last > self._cursor:
            await asyncio.sleep(ASK_SECONDS)

    async def _is_over(self) -> bool:
        if self._deleted:
            return True
        if not self._ended or self._cursor < self._last:
            return False
        self.see_head(await self._watcher.look(self._run_id))
        return self._deleted or (self._ended and self._cursor >= self._last)

    def _from_inbox(self) -> Events:
        """Frames that arrived, up to one of an attempt whose step:start may still have to be read."""
        frames: Events = []
        while self._inbox:
            arrival = self._inbox[0]
            if arrival.number > self._read_at_arrival and self._streams.opens(arrival.message):
                self._changed.set()
                break
            self._inbox.popleft()
            frames += self._take(arrival)
        return frames

    def _has_stopped(self) -> bool:
        """Asked anew after each await."""
        return self._stopped

    def _from_inbox_of(self, step: str, attempt: int) -> Events:
        frames: Events = []
        for arrival in list(self._inbox):
            if arrival.message["step"] == step and arrival.message["attempt"] == attempt:
                self._inbox.remove(arrival)
                frames += self._take(arrival)
        return frames

    def _take(self, arrival: _Arrival) -> Events:
        self._inbox_bytes -= arrival.weight
        self._asking.frames_came()
        return self._streams.accept(arrival.message)

    async def _frames_before(self, event: RunEvent) -> AsyncIterator[Events]:
        """The frames of a step come before its end, as far as they can be had in FRAMES_WAIT_SECONDS."""
        step, began_at, attempt = str(event.step), clock.monotonic(), event.attempt or 0
        self._asking.frames_came()
        while True:
            while frames := self._from_inbox_of(step, attempt):
                yield frames
                began_at = clock.monotonic()  # only waiting counts, not how slowly the client took them
            owed = self._streams.missing(step, attempt, int(event.data["frames"]))
            left = began_at + FRAMES_WAIT_SECONDS - clock.monotonic()
            if owed is None or not self._may_still_come(event) or left <= 0:
                return
            self._changed.clear()
            self._wake_in(min(ASK_SECONDS / 2, left))
            await self._changed.wait()
            if self._stopped:
                return
            if clock.monotonic() - began_at >= ASK_SECONDS / 2:
                await self._asking.ask(owed)

    def _owes_frames(self, event: RunEvent) -> bool:
        return event.type in _STEP_ENDS and event.step is not None and bool(event.data.get("frames"))

    def _may_still_come(self, event: RunEvent) -> bool:
        """History is told by its outputs: nobody waits for frames of steps that ended before this connection came, or
        so long ago that their worker has forgotten them."""
        recent = event.created_at is None or event.created_at > clock.now() - _ASK_NO_OLDER_THAN
        return recent and (event.sequence or 0) > self._replay_until

    # Waiting -----------------------------------------------------------------------------------------------------

    async def _wait(self, beat_at: float | None) -> None:
        next_ask = ASK_SECONDS if self._streams.behind() else self._asking.seconds_to_first()
        if next_ask is not None:
            self._wake_in(next_ask)
        if beat_at is not None:
            self._wake_in(beat_at - clock.monotonic())
        await self._changed.wait()

    def _wake_in(self, seconds: float) -> None:
        """One timer for all reasons, the earliest: a connection is woken often, and a timer each time would cost."""
        loop = asyncio.get_running_loop()
        at = loop.time() + max(0.0, seconds)
        if self._timer is not None:
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = loop.call_at(at, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self._changed.set()
