"""Where a reader stands in a stream, so that a cut connection is taken up again without a gap or a repetition."""

import json
import random
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Generic, TypeVar
from uuid import UUID

from perdure_client.models import Event, Model, StreamLine

L = TypeVar("L", bound=Model)
RUN_ENDS = ("run:complete", "run:fail", "run:cancel")


class Lines:
    """Bytes into whole lines. A line that the connection's end cut is dropped: it will be sent again."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        *whole, self._rest = (self._rest + data).split(b"\n")
        return iter(line for line in whole if line.strip())


class Place(ABC, Generic[L]):
    """`after` is the last stored number seen; `has_ended` that the last line of all was.

    `run` is whose end is to be asked for when a stream was empty: one that begins after the last event looks as if it
    were cut.
    """

    run: str | None = None
    path: str

    def __init__(self, after: int = 0) -> None:
        self.after = after
        self.has_ended = False
        self._frames: dict[Any, int] = {}
        self._failures = 0

    def take(self, line: bytes) -> L | None:
        """The line's entry; None for one that was seen before."""
        entry = self._read(json.loads(line))
        if entry is not None:
            self._failures = 0
        return entry

    def delay(self) -> float:
        """Seconds before the next try: 0.1 at first, doubled for each try that brought nothing, at most 5."""
        self._failures += 1
        return float(min(0.1 * 2 ** (self._failures - 1), 5.0)) * random.uniform(0.8, 1.2)

    @property
    @abstractmethod
    def query(self) -> dict[str, str]:
        """What asks for everything after this place."""

    @abstractmethod
    def _read(self, told: dict[str, Any]) -> L | None:
        """The entry; None for one that was seen before."""

    def _is_new(self, source: Any, number: int) -> bool:
        """Frames of one source are counted from 0; a new connection is sent those that are still held again."""
        if number < self._frames.get(source, 0):
            return False
        self._frames[source] = number + 1
        return True


class RunPlace(Place[Event]):
    """In the events of a run."""

    def __init__(self, run: UUID | str, after: int = 0) -> None:
        super().__init__(after)
        self.run = str(run)
        self.path = f"/api/runs/{run}/events/"

    @property
    def query(self) -> dict[str, str]:
        return {"after": str(self.after)}

    def _read(self, told: dict[str, Any]) -> Event | None:
        event = Event.model_validate(told)
        if event.offset is not None:
            return event if self._is_new((event.step, event.epoch, event.attempt), event.offset) else None
        if event.sequence is None:
            return event  # a reset of a stream, or a gap
        if event.sequence <= self.after:
            return None
        self.after, self.has_ended = event.sequence, event.type in RUN_ENDS
        return event


class JobPlace(Place[StreamLine]):
    """In the lines of a pipeline's job."""

    def __init__(self, job: UUID | str, after_seq: int = 0) -> None:
        super().__init__(after_seq)
        self.path = f"/v1/jobs/{job}/stream"

    @property
    def query(self) -> dict[str, str]:
        return {"after_seq": str(self.after)}

    def _read(self, told: dict[str, Any]) -> StreamLine | None:
        line = StreamLine.model_validate(told)
        if line.event == "provider_chunk":
            source = (line.data.get("step_id"), line.data.get("shard_key"), line.data.get("attempt"))
            return line if self._is_new(source, line.data["index"]) else None
        if line.event == "stream_reset":
            return line
        if line.seq <= self.after:
            return None
        self.after, self.has_ended = line.seq, line.event == "stream_finished"
        return line
