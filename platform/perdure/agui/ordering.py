"""The order that AG-UI's clients hold a stream to; an event out of order makes the official client throw.

A guard of its own: whatever makes events, a stream is checked as its client will check it, before it is sent.
Source: the official client's `verify` (1.0.0), and the MUSTs of the specification that it does not check yet.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ag_ui.core import BaseEvent, EventType


class IllegalOrder(Exception):
    """Raised by OrderingGuard; a fault of ours that a client never meets."""

    def __init__(self, event: BaseEvent, problem: str) -> None:
        super().__init__(f"{event.type.value} {problem}.")


class OrderingGuard:
    """One stream: several protocol runs of one thread may follow each other in it.

    Calls and messages may be of an earlier stream: their results, and what is appended to them, need no opener here.
    """

    def __init__(self) -> None:
        self._thread_id: str | None = None
        self._run_id: str | None = None
        self._state = "new"  # new, open, finished, failed
        self._open: dict[str, set[str]] = {kind: set() for kind in _KINDS}

    @property
    def is_open(self) -> bool:
        """Is a terminal event still to come?"""
        return self._state == "open"

    def assume(self, open_items: Mapping[str, Iterable[str]]) -> None:
        """Of a stream that goes on where another connection ended: what its client has open, by kind."""
        self._open = {kind: set(open_items.get(kind, ())) for kind in _KINDS}

    def check(self, event: BaseEvent) -> None:
        """Raises IllegalOrder; the event then counts as not sent."""
        if event.type == EventType.RUN_STARTED:
            self._start(event)
        elif event.type == EventType.RUN_ERROR:
            self._fail(event)
        elif self._state != "open":
            raise IllegalOrder(event, "comes while no run is open")
        elif event.type == EventType.RUN_FINISHED:
            self._finish(event)
        elif rule := _RULES.get(event.type):
            rule(self, event)

    def _start(self, event: Any) -> None:
        if self._state == "open":
            raise IllegalOrder(event, "comes while a run is open")
        if self._thread_id not in (None, event.thread_id):
            raise IllegalOrder(event, "is of another thread")
        self._thread_id, self._run_id, self._state = event.thread_id, event.run_id, "open"
        for ids in self._open.values():
            ids.clear()

    def _fail(self, event: Any) -> None:
        if self._state == "failed":
            raise IllegalOrder(event, "comes after the run has failed")
        self._state = "failed"

    def _finish(self, event: Any) -> None:
        if (event.thread_id, event.run_id) != (self._thread_id, self._run_id):
            raise IllegalOrder(event, "is of another run or thread than its RUN_STARTED")
        for kind, ids in self._open.items():
            if ids:
                raise IllegalOrder(event, f"comes while {kind} {min(ids)!r} is open")
        interrupts = [one.id for one in getattr(event.outcome, "interrupts", None) or ()]
        if len(set(interrupts)) < len(interrupts):
            raise IllegalOrder(event, "names an interrupt twice")
        self._state = "finished"

    def _opens(self, kind: str, name: str, event: BaseEvent) -> None:
        if name in self._open[kind]:
            raise IllegalOrder(event, f"opens {kind} {name!r}, which is open")
        self._open[kind].add(name)

    def _needs(self, kind: str, name: str, event: BaseEvent) -> None:
        if name not in self._open[kind]:
            raise IllegalOrder(event, f"is for {kind} {name!r}, which is not open")

    def _closes(self, kind: str, name: str, event: BaseEvent) -> None:
        self._needs(kind, name, event)
        self._open[kind].remove(name)


_Check = Callable[[OrderingGuard, str, str, BaseEvent], None]
_KINDS: Final = ("text message", "reasoning", "reasoning message", "tool call", "step", "subagent")


def _rule(check: _Check, kind: str, field: str) -> Callable[[OrderingGuard, BaseEvent], None]:
    return lambda guard, event: check(guard, kind, getattr(event, field), event)


_opens, _needs, _closes = OrderingGuard._opens, OrderingGuard._needs, OrderingGuard._closes
_RULES: Final[dict[EventType, Callable[[OrderingGuard, BaseEvent], None]]] = {
    EventType.TEXT_MESSAGE_START: _rule(_opens, "text message", "message_id"),
    EventType.TEXT_MESSAGE_CONTENT: _rule(_needs, "text message", "message_id"),
    EventType.TEXT_MESSAGE_END: _rule(_closes, "text message", "message_id"),
    EventType.REASONING_START: _rule(_opens, "reasoning", "message_id"),
    EventType.REASONING_END: _rule(_closes, "reasoning", "message_id"),
    EventType.REASONING_MESSAGE_START: _rule(_opens, "reasoning message", "message_id"),
    EventType.REASONING_MESSAGE_CONTENT: _rule(_needs, "reasoning message", "message_id"),
    EventType.REASONING_MESSAGE_END: _rule(_closes, "reasoning message", "message_id"),
    EventType.TOOL_CALL_START: _rule(_opens, "tool call", "tool_call_id"),
    EventType.TOOL_CALL_ARGS: _rule(_needs, "tool call", "tool_call_id"),
    EventType.TOOL_CALL_END: _rule(_closes, "tool call", "tool_call_id"),
    EventType.STEP_STARTED: _rule(_opens, "step", "step_name"),
    EventType.STEP_FINISHED: _rule(_closes, "step", "step_name"),
    EventType.SUBAGENT_STARTED: _rule(_opens, "subagent", "subagent_run_id"),
    EventType.SUBAGENT_FINISHED: _rule(_closes, "subagent", "subagent_run_id"),
    EventType.SUBAGENT_ERROR: _rule(_closes, "subagent", "subagent_run_id"),
}
