"""Which stream frames a follower may pass on. Pure: bus messages in, events out, so that every order can be tested.

Frames are `(step, epoch, attempt, offset)`. The bus may lose, repeat and reorder them; what is passed on is
contiguous from a `stream:reset`, and never of an attempt that ended or was overtaken.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from runs.events.bus import Message
from runs.events.types import LiveType, RunEvent

_ENDED_REMEMBERED = 1_000


@dataclass(slots=True)
class _Stream:
    epoch: int
    attempt: int
    next_offset: int = 0
    known_until: int = 0
    was_reset: bool = False

    @property
    def key(self) -> tuple[int, int]:
        return self.epoch, self.attempt


@dataclass(frozen=True, slots=True)
class Missing:
    """Frames to ask the driver for: those of the attempt from `offset` on."""

    step: str
    epoch: int | None
    attempt: int
    offset: int


class Streams:
    """The streaming steps of one run, as one connection has seen them."""

    def __init__(self, run_id: UUID) -> None:
        self._run_id = run_id
        self._streams: dict[str, _Stream] = {}
        self._ended: OrderedDict[str, int] = OrderedDict()
        self.epoch = 0
        """Frames of older epochs come from a worker that lost the run."""

    def hold(self, step: str, epoch: int, attempt: int, offset: int) -> None:
        """The reader has the frames of this attempt below `offset`."""
        self._streams[step] = _Stream(epoch, attempt, next_offset=offset, was_reset=offset > 0)

    def accept(self, message: Message) -> list[RunEvent]:
        """What the follower passes on now, resets included."""
        stream = self._stream_of(message)
        if stream is None:
            return []
        step = str(message["step"])
        passed: list[RunEvent] = []
        truncated = message.get("truncated")
        if truncated is not None and int(truncated) > stream.next_offset:
            stream.next_offset, stream.was_reset = int(truncated), False
        for frame in _events_of(self._run_id, message):
            if frame.offset == stream.next_offset:
                passed += self._reset_once(step, stream)
                passed.append(frame)
                stream.next_offset += 1
        self._note(stream, message)
        return passed

    def note(self, message: Message) -> None:
        """Frames that exist but were not taken, for want of room: they will be asked for."""
        stream = self._stream_of(message)
        if stream is not None:
            self._note(stream, message)

    def opens(self, message: Message) -> bool:
        """Is it of an attempt that was not seen yet?"""
        stream = self._streams.get(str(message["step"]))
        return stream is None or stream.key < (int(message["epoch"]), int(message["attempt"]))

    def behind(self) -> list[Missing]:
        """Where frames after a hole are known."""
        return [
            Missing(step, stream.epoch, stream.attempt, stream.next_offset)
            for step, stream in self._streams.items()
            if stream.next_offset < stream.known_until and stream.epoch >= self.epoch
        ]

    def missing(self, step: str, attempt: int, frames: int) -> Missing | None:
        """What an attempt that ended with so many frames still owes; the epoch is None when none of it came."""
        stream = self._streams.get(step)
        if stream is None or stream.attempt < attempt:
            return Missing(step, None, attempt, 0) if frames else None
        if stream.attempt > attempt or stream.next_offset >= frames:
            return None
        return Missing(step, stream.epoch, attempt, stream.next_offset)

    def end(self, step: str, attempt: int) -> None:
        """The attempt's end is passed on: no frame of it may follow."""
        stream = self._streams.get(step)
        if stream is not None and stream.attempt <= attempt:
            del self._streams[step]
        self._ended[step] = max(attempt, self._ended.pop(step, 0))
        if len(self._ended) > _ENDED_REMEMBERED:
            self._ended.popitem(last=False)

    def _stream_of(self, message: Message) -> _Stream | None:
        step, epoch, attempt = str(message["step"]), int(message["epoch"]), int(message["attempt"])
        if epoch < self.epoch or attempt <= self._ended.get(step, 0):
            return None
        stream = self._streams.get(step)
        if stream is None or stream.key < (epoch, attempt):
            stream = self._streams[step] = _Stream(epoch, attempt)
        return stream if stream.key == (epoch, attempt) else None

    def _note(self, stream: _Stream, message: Message) -> None:
        events = _events_of(self._run_id, message)
        if events and events[-1].offset is not None:
            stream.known_until = max(stream.known_until, events[-1].offset + 1)

    def _reset_once(self, step: str, stream: _Stream) -> list[RunEvent]:
        if stream.was_reset:
            return []
        stream.was_reset = True
        data = {"truncated": stream.next_offset} if stream.next_offset else {}
        return [
            RunEvent(
                type=LiveType.STREAM_RESET,
                run_id=self._run_id,
                data=data,
                step=step,
                attempt=stream.attempt,
                epoch=stream.epoch,
            )
        ]


def _events_of(run_id: UUID, message: Message) -> list[RunEvent]:
    """Its frames by offset; made once, although every follower of the run is shown the message."""
    found: list[RunEvent] | None = message.get("events")
    if found is None:
        frames = sorted(message["frames"], key=lambda frame: int(frame["offset"]))
        found = message["events"] = [_event(run_id, message, frame) for frame in frames]
    return found


def _event(run_id: UUID, message: Message, frame: dict[str, Any]) -> RunEvent:
    return RunEvent(
        type=LiveType.STREAM,
        run_id=run_id,
        data=frame["data"],
        step=str(message["step"]),
        attempt=int(message["attempt"]),
        epoch=int(message["epoch"]),
        offset=int(frame["offset"]),
        created_at=datetime.fromisoformat(frame["at"]) if frame.get("at") else None,
    )
