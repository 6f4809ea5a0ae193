"""Runs as the follower tells them: the log in order, and between its events the frames of streaming steps."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from runs.events.types import EventType, LiveType, RunEvent

RUN = UUID("01890000-0000-7000-8000-000000000001")
AT = datetime(2026, 1, 1, tzinfo=UTC)


def frame(step: str, offset: int, data: Any, attempt: int = 1, epoch: int = 1) -> RunEvent:
    return RunEvent(LiveType.STREAM, RUN, data, step, attempt, None, epoch, offset, AT)


def reset(step: str, attempt: int = 1, epoch: int = 1, **data: Any) -> RunEvent:
    return RunEvent(LiveType.STREAM_RESET, RUN, data, step, attempt, None, epoch)


def entry(sequence: int, type_: str, step: str | None = None, attempt: int | None = None, **data: Any) -> RunEvent:
    return RunEvent(type_, RUN, data, step, attempt, sequence, created_at=AT)


def reply(
    text: str = "", reasoning: str = "", calls: Iterable[tuple[str, str, dict[str, Any]]] = (), tokens: int = 1
) -> dict[str, Any]:
    """As a model call records it; a call is (vendor's id, tool, arguments)."""
    made = [{"id": own, "name": name, "arguments": arguments} for own, name, arguments in calls]
    message = {"role": "assistant", "content": text, "reasoning": reasoning, "tool_calls": made, "signed_reasoning": []}
    usage = {"input_tokens": tokens, "output_tokens": tokens, "cached_tokens": 0, "reasoning_tokens": 0}
    return {
        "kind": "reply", "message": message, "finish_reason": "stop", "usage": usage, "model": "m",
        "provider_kind": "scripted",
    }  # fmt: skip


@dataclass
class Story:
    """Written event by event; `told` is what a reader hears that was there from the beginning and lost nothing."""

    told: list[RunEvent] = field(default_factory=list)
    epoch: int = 1
    _frames: dict[tuple[str, int], int] = field(default_factory=dict)

    def __repr__(self) -> str:
        """What Hypothesis shows of a run that breaks a property."""
        return "\n".join(
            f"{event.sequence or ''} {event.type} {event.step or ''}#{event.attempt} {event.offset} {event.data}"
            for event in self.told
        )

    @property
    def log(self) -> list[RunEvent]:
        return [event for event in self.told if event.sequence is not None]

    def write(self, type_: str, step: str | None = None, attempt: int | None = None, **data: Any) -> None:
        self.told.append(entry(len(self.log) + 1, type_, step, attempt, **data))

    def begin(self, step: str, attempt: int = 1, kind: str = "stream") -> None:
        self.write(EventType.STEP_START, step, attempt, kind=kind, epoch=self.epoch)

    def emit(self, step: str, data: Any, attempt: int = 1) -> None:
        offset = self._frames.get((step, attempt), 0)
        if not offset:
            self.told.append(reset(step, attempt, self.epoch))
        self.told.append(frame(step, offset, data, attempt, self.epoch))
        self._frames[step, attempt] = offset + 1

    def end(self, step: str, attempt: int = 1, *, how: str = EventType.STEP_COMPLETE, **data: Any) -> None:
        if (step, attempt) in self._frames or how == EventType.STEP_RETRY:
            data["frames"] = self._frames.get((step, attempt), 0)
        self.write(how, step, attempt, **data)

    def perform(self, step: str, output: Any, kind: str = "run") -> None:
        self.begin(step, kind=kind)
        self.end(step, output=output)


def heard_after(story: list[RunEvent], sequence: int, frames: str) -> Iterator[RunEvent]:
    """What a reader hears that comes after an event of the log. `frames`: `again` (the worker has all of them), `late`
    (only those that are yet to come, and it is told what it missed), or `none`."""
    open_: dict[tuple[str | None, int | None], list[RunEvent]] = {}
    place = next((index + 1 for index, event in enumerate(story) if event.sequence == sequence), 0)
    for event in story[:place]:
        if event.sequence is None:
            open_.setdefault((event.step, event.attempt), []).append(event)
        elif event.type in (EventType.STEP_COMPLETE, EventType.STEP_RETRY, EventType.STEP_FAIL, EventType.STEP_CANCEL):
            open_.pop((event.step, event.attempt), None)
    for (step, attempt), before in open_.items():
        last = before[-1]
        if frames == "again":
            yield from before
        elif frames == "late":
            yield reset(str(step), attempt or 1, last.epoch or 1, truncated=(last.offset or 0) + 1)
    yield from (event for event in story[place:] if frames != "none" or event.sequence is not None)
