"""Readers of a run: each protocol run is begun where the one before it ended."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ag_ui.core import BaseEvent, UserMessage

from perdure.agui.adapter import Adapter, Opening, sequence_of
from runs.events.types import RunEvent
from tests.agui.adapter.story import RUN

HISTORY = [UserMessage(id="u1", content="Hello")]


@dataclass(frozen=True)
class Told:
    """An event, its mark, and after which event of the log its protocol run begins."""

    event: BaseEvent
    mark: str
    part: int
    begins: int


def _opening(part: int, version: str, snapshots: bool = False) -> Opening:
    return Opening("t", f"r{part}", protocol_version=version, snapshots=snapshots)


class Reader:
    def __init__(self, version: str = "1.0", state: Any = None) -> None:
        self.adapter = Adapter(RUN, HISTORY, state)
        self.told: list[Told] = []
        self._version, self._part, self._begins = version, 0, 0

    def read(self, events: Iterable[RunEvent]) -> "Reader":
        for event in events:
            if not self.adapter.is_open:
                self.begin()
            self._keep(self.adapter.feed(event))
        return self

    def begin(self, *, snapshots: bool = False) -> None:
        self._part += 1
        self._begins = self.adapter.sequence
        self._keep(self.adapter.begin(_opening(self._part, self._version, snapshots)))

    def _keep(self, events: Sequence[BaseEvent]) -> None:
        pairs = zip(events, self.adapter.marks, strict=True)
        self.told += [Told(event, mark, self._part, self._begins) for event, mark in pairs]

    @classmethod
    def going_on(cls, last: Told, log: list[RunEvent], version: str = "1.0", state: Any = None) -> "Reader":
        """One that knows nothing but the log, for a client that got `last`."""
        reader = cls(version, state)
        adapter, reached = reader.adapter, sequence_of(last.mark)
        for event in log[: last.begins]:
            adapter.feed(event)
        reader._part, reader._begins = last.part, last.begins
        adapter.begin(_opening(last.part, version))
        for event in log[last.begins : reached]:
            adapter.feed(event)
        reader._keep(adapter.restore(last.mark))
        return reader

    @property
    def events(self) -> list[BaseEvent]:
        return [one.event for one in self.told]
