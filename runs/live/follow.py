"""The one reader of a run. Every transport encodes what `follow` yields.

It subscribes first, replays the log, then goes on live. The log is the truth: numbers are contiguous, and whatever
the bus loses, repeats or reorders is healed from the log, the last event included.

    async for event in subscribe(run_id): ...
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from runs import clock
from runs.errors import RunNotFound
from runs.events.bus import Message
from runs.events.types import EventType, LiveType, RunEvent
from runs.live.reads import Head, fetch_epoch
from runs.live.streams import Missing, Streams
from runs.live.watcher import Watcher, get_watcher

FRAMES_WAIT_SECONDS = 0.5
"""How long the end of a streaming step waits for its last frames; its output is the truth anyway."""
ASK_SECONDS = 0.15
_ASK_SECONDS_AT_MOST = 2.0
INBOX_BYTES = 2 * 1024 * 1024
_FIRST_ASKS = (0.0, 0.3, 1.5)
_ASK_NO_OLDER_THAN = timedelta(seconds=5)
_STEP_ENDS = frozenset({EventType.STEP_COMPLETE, EventType.STEP_FAIL, EventType.STEP_RETRY, EventType.STEP_CANCEL})


async def follow(run_id: UUID, after: int = 0) -> AsyncIterator[RunEvent]:
    """Every event with `sequence > after`, once and in order, with stream frames between; ends with the run.

    A `gap` event stands for what is pruned. Raises RunNotFound; ends early when the run is deleted.
    """
    follower = _Follower(get_watcher(), run_id, after)
    try:
        async for event in follower.events():
            yield event
    finally:
        await follower.leave()


def subscribe(run_id: UUID, after: int = 0) -> AsyncIterator[RunEvent]:
    """Follow a run from Python: the public name of `follow`."""
    return follow(run_id, after)


class _Arrival(NamedTuple):
    number: int
    message: Message
    weight: int


class _Follower:
    """The state of one connection. Memory is bounded: the log is read in pages, and frames that find no room are
    dropped and asked for again."""

    def __init__(self, watcher: Watcher, run_id: UUID, after: int) -> None:
        self._watcher = watcher
        self._run_id = run_id
        self._reader_id = uuid4().hex
        self._cursor = after
        self._last = 0
        self._first = 1
        self._ended = False
        self._deleted = False
        self._replay_until = 0
        self._streams = Streams(run_id)
        self._inbox: deque[_Arrival] = deque()
        self._inbox_bytes = 0
        self._arrivals = 0
        self._read_at_arrival = 0
        self._changed = asyncio.Event()
        self._first_asks = list(_FIRST_ASKS)
        self._began_at = clock.monotonic()
        self._asked_at = 0.0
        self._ask_delay = ASK_SECONDS

    # What the watcher calls --------------------------------------------------------------------------------------

    def see_head(self, head: Head | None) -> None:
        if head is None:
            self._deleted = True
        else:
            self._first = max(self._first, head.first_sequence)
            self._last = max(self._last, head.last_sequence)
            self._ended = head.ended
            self._streams.epoch = max(self._streams.epoch, head.epoch)
        self._changed.set()

    def see_last(self, last_sequence: int) -> None:
        if last_sequence > self._last:
            self._last = last_sequence
            self._changed.set()

    def see_frames(self, message: Message, weight: int) -> None:
        if message.get("to") not in (None, self._reader_id):
            return
        if message.get("to") == self._reader_id:
            self._first_asks.clear()
        if self._inbox_bytes + weight > INBOX_BYTES:
            self._empty_inbox()
        self._arrivals += 1
        self._inbox.append(_Arrival(self._arrivals, message, weight))
        self._inbox_bytes += weight
        self._changed.set()

    def _empty_inbox(self) -> None:
        """The client reads too slowly: only remember what exists, and ask for it when there is room."""
        for arrival in self._inbox:
            self._streams.note(arrival.message)
        self._inbox.clear()
        self._inbox_bytes = 0

    # What the transport iterates ---------------------------------------------------------------------------------

    async def events(self) -> AsyncIterator[RunEvent]:
        head = await self._watcher.join(self._run_id, self)
        if head is None:
            raise RunNotFound(self._run_id)
        self.see_head(head)
        self._replay_until = head.last_sequence
        while True:
            self._changed.clear()
            async for event in self._from_log():
                yield event
            if await self._is_over():
                return
            for event in self._from_inbox():
                yield event
            await self._ask_for_what_is_due()
            await self._wait()

    async def leave(self) -> None:
        await self._watcher.leave(self._run_id, self)

    async def _from_log(self) -> AsyncIterator[RunEvent]:
        """All events up to the last known one, and for a frame of an unseen attempt what was written before it."""
        self._read_at_arrival = self._arrivals
        forced = any(self._streams.opens(arrival.message) for arrival in self._inbox)
        while (self._last > self._cursor or forced) and not self._deleted:
            forced = False
            events = await self._watcher.read_log(self._run_id, self._cursor)
            if self._cursor + 1 < self._first or (events and events[0].sequence != self._cursor + 1):
                yield await self._gap(events)
                continue
            if not events:
                await self._correct_last()
            for event in events:
                async for earlier in self._frames_before(event):
                    yield earlier
                self._pass(event)
                yield event

    def _pass(self, event: RunEvent) -> None:
        assert event.sequence is not None
        self._cursor = event.sequence
        self._last = max(self._last, self._cursor)
        if event.type in _STEP_ENDS and event.step is not None:
            self._streams.end(event.step, event.attempt or 0)

    async def _gap(self, events: list[RunEvent]) -> RunEvent:
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

    def _from_inbox(self) -> Iterator[RunEvent]:
        """Frames that arrived, up to one of an attempt whose step:start may still have to be read."""
        while self._inbox:
            arrival = self._inbox[0]
            if arrival.number > self._read_at_arrival and self._streams.opens(arrival.message):
                self._changed.set()
                return
            yield from self._take(arrival)

    def _from_inbox_of(self, step: str, attempt: int) -> Iterator[RunEvent]:
        for arrival in list(self._inbox):
            if arrival.message["step"] == step and arrival.message["attempt"] == attempt and arrival in self._inbox:
                yield from self._take(arrival)

    def _take(self, arrival: _Arrival) -> list[RunEvent]:
        self._inbox.remove(arrival)
        self._inbox_bytes -= arrival.weight
        self._ask_delay = ASK_SECONDS
        return self._streams.accept(arrival.message)

    async def _frames_before(self, event: RunEvent) -> AsyncIterator[RunEvent]:
        """The frames of a step come before its end, as far as they can be had in FRAMES_WAIT_SECONDS."""
        if event.type not in _STEP_ENDS or event.step is None or not self._has_frames(event):
            return
        began_at, attempt = clock.monotonic(), event.attempt or 0
        self._ask_delay = ASK_SECONDS
        while True:
            for frame in self._from_inbox_of(event.step, attempt):
                yield frame
            owed = self._streams.missing(event.step, attempt, int(event.data["frames"]))
            left = began_at + FRAMES_WAIT_SECONDS - clock.monotonic()
            if owed is None or not self._may_still_come(event) or left <= 0:
                return
            self._changed.clear()
            await self._changed_within(min(ASK_SECONDS / 2, left))
            if clock.monotonic() - began_at >= ASK_SECONDS / 2:
                await self._ask(owed)

    def _has_frames(self, event: RunEvent) -> bool:
        return bool(event.data.get("frames"))

    def _may_still_come(self, event: RunEvent) -> bool:
        """History is told by its outputs: nobody waits for frames of steps that ended before this connection came, or
        so long ago that their worker has forgotten them."""
        recent = event.created_at is None or event.created_at > clock.now() - _ASK_NO_OLDER_THAN
        return recent and (event.sequence or 0) > self._replay_until

    async def _ask_for_what_is_due(self) -> None:
        elapsed = clock.monotonic() - self._began_at
        if self._first_asks and elapsed >= self._first_asks[0]:
            self._first_asks.pop(0)
            await self._request(step=None, epoch=None, attempt=None, offset=0)
        for missing in self._streams.behind():
            await self._ask(missing)

    async def _ask(self, missing: Missing) -> None:
        """Asking again at once would only repeat an answer that is on its way, so the pauses grow until frames come."""
        if clock.monotonic() - self._asked_at < self._ask_delay:
            return
        self._asked_at = clock.monotonic()
        self._ask_delay = min(self._ask_delay * 2, _ASK_SECONDS_AT_MOST)
        epoch = missing.epoch
        if epoch is None:
            epoch = await self._watcher.read(fetch_epoch, self._run_id, missing.step, missing.attempt)
        if epoch is None:
            return
        await self._request(step=missing.step, epoch=epoch, attempt=missing.attempt, offset=missing.offset)

    async def _request(self, *, step: str | None, epoch: int | None, attempt: int | None, offset: int) -> None:
        await self._watcher.request(
            {
                "reader": self._reader_id,
                "run": str(self._run_id),
                "step": step,
                "epoch": epoch,
                "attempt": attempt,
                "offset": offset,
            }
        )

    async def _wait(self) -> None:
        if self._streams.behind():
            await self._changed_within(ASK_SECONDS)
        elif self._first_asks:
            await self._changed_within(max(0.0, self._began_at + self._first_asks[0] - clock.monotonic()))
        else:
            await self._changed.wait()

    async def _changed_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True
