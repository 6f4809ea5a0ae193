"""One turn's log as the events of its protocol runs: where each begins, what id each event has."""

from collections import deque
from collections.abc import Sequence
from typing import Any, cast

from ag_ui.core import (
    BaseEvent,
    Interrupt,
    Message,
    ReasoningMessageContentEvent,
    RunErrorEvent,
    TextMessageContentEvent,
    ToolCallArgsEvent,
)

from perdure.agui.adapter import Adapter, sequence_of
from perdure.agui.bindings import bind
from perdure.agui.compat import OlderShape
from perdure.agui.encoding import Told
from perdure.agui.ordering import OrderingGuard
from perdure.agui.passages import Passage, Place, unknown_place
from runs.events.types import RunEvent


class Teller:
    """Fed with the log from its first event; mute until the first of the parts begins, or until `place` is reached."""

    def __init__(self, passage: Passage, place: Place | None = None) -> None:
        assert passage.run_id is not None
        self._adapter = Adapter(passage.run_id, passage.history, passage.state)
        self._waiting = deque(passage.parts)
        self._agent = passage.agent
        self._part = self._waiting[0]
        self._older = self._shape()
        self._place = place
        self._guard = OrderingGuard()
        self._sequence = 0

    @property
    def is_over(self) -> bool:
        """The terminal event of the last part was told."""
        return not self._waiting and not self._adapter.is_open

    @property
    def messages(self) -> list[Message]:
        """The whole transcript so far."""
        return self._adapter.messages

    @property
    def state(self) -> Any:
        """The shared state now."""
        return self._adapter.state

    def asks(self, event: RunEvent) -> list[tuple[str, str | None]]:
        """The questions whose interrupts `feed` wants with this event: question id, and the call that waits for it."""
        return self._adapter.asks(event)

    def begin(self) -> list[Told]:
        """What the next part begins with, if it is its turn. Raises InvalidInput, see `feed`."""
        if self._adapter.is_open or not self._waiting or self._sequence < self._waiting[0].begins:
            return []
        self._part = self._waiting.popleft()
        self._older = self._shape()
        begun = self._told(self._adapter.begin(self._part.opening))
        return begun if self._place is None else self._reach(self._place)

    def feed(self, event: RunEvent, interrupts: list[Interrupt]) -> list[Told]:
        """What is told of it. Raises InvalidInput when it turns out that nobody can have been at `place`, and
        IllegalOrder for what a client must not get."""
        events = self._adapter.feed(event, bind(interrupts, self._part.opening.run_id))
        told = self._told(events, after=self._adapter.left_out)
        self._sequence = event.sequence or self._sequence
        if self._place is None:
            return told
        return self._reach(self._place) if self._adapter.is_open or told else []

    def fail(self, code: str, message: str) -> list[Told]:
        """What ends the stream when it cannot go on. Without ids: who comes back goes on from what was told before."""
        events: list[BaseEvent] = self._adapter.fail(code, message)
        return [Told("", event, self._older) for event in events or [RunErrorEvent(code=code, message=message)]]

    def break_off(self, code: str, message: str) -> list[Told]:
        """As `fail`, when the adapter itself cannot be relied on: what is open stays open, which an error allows."""
        return [Told("", RunErrorEvent(code=code, message=message), self._older)]

    def _reach(self, place: Place) -> list[Told]:
        """Up to there all counts as told; then only what the client lacks of it is."""
        if self._sequence < sequence_of(place.mark):
            return []
        self._place = None
        try:
            lacking = self._adapter.restore(place.mark)
        except ValueError:
            raise unknown_place() from None
        self._guard.assume(self._adapter.open_items)
        return self._named(lacking)

    def _told(self, events: list[BaseEvent], after: Sequence[BaseEvent] = ()) -> list[Told]:
        for event in (*after, *events):
            self._guard.check(event)
        return self._named(events)

    def _named(self, events: list[BaseEvent]) -> list[Told]:
        part, snapshots_at = self._part.id, self._part.begins if self._part.opening.snapshots else None
        ids = [str(Place(part, mark, snapshots_at)) for mark in self._adapter.marks]
        return [Told(one, event, self._older) for one, event in zip(ids, events, strict=True)]

    def _shape(self) -> OlderShape:
        return OlderShape(self._part.opening.run_id, self._agent, lambda: self._adapter.messages)


_DELTAS: dict[type[Any], str] = {
    TextMessageContentEvent: "message_id",
    ReasoningMessageContentEvent: "message_id",
    ToolCallArgsEvent: "tool_call_id",
}


def merge_deltas(told: list[Told]) -> list[Told]:
    """Neighbours that continue the same text become one event: who reads slowly, or late, gets fewer."""
    merged: list[list[Told]] = []
    for one in told:
        if merged and _continues(merged[-1][-1].event, one.event):
            merged[-1].append(one)
        else:
            merged.append([one])
    return [_joined(same) for same in merged]


def _joined(same: list[Told]) -> Told:
    if len(same) == 1:
        return same[0]
    event: Any = same[-1].event
    # Joined once: of a late joiner's fifty thousand frames, each would be copied with all before it.
    deltas = "".join(cast(Any, one.event).delta for one in same)
    return same[-1]._replace(event=event.model_copy(update={"delta": deltas}))


def _continues(before: Any, after: Any) -> bool:
    name = _DELTAS.get(type(after))
    return name is not None and type(before) is type(after) and getattr(before, name) == getattr(after, name)
