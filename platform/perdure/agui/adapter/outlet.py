"""What one client is told: each event is made here, and only where the order of events allows it.

Whoever speaks need not know what is open: opening what is open and closing what is closed says nothing. While no
protocol run is open, nothing is said at all.
"""

from collections.abc import Callable
from typing import Any

from ag_ui.core import (
    ActivitySnapshotEvent,
    BaseEvent,
    CustomEvent,
    Message,
    MessagesSnapshotEvent,
    ReasoningEndEvent,
    ReasoningMessageContentEvent,
    ReasoningMessageEndEvent,
    ReasoningMessageStartEvent,
    ReasoningStartEvent,
    RunStartedEvent,
    StateDeltaEvent,
    StateSnapshotEvent,
    StepFinishedEvent,
    StepStartedEvent,
    TextMessageContentEvent,
    TextMessageEndEvent,
    TextMessageStartEvent,
    ToolCallArgsEvent,
    ToolCallEndEvent,
    ToolCallResultEvent,
    ToolCallStartEvent,
)

from perdure.agui.adapter.fitting import newest_that_fit


class Outlet:
    def __init__(self, said: Callable[[], None]) -> None:
        """`said` is called after each event."""
        self._said = said
        self.events: list[BaseEvent] = []
        self.is_open = False
        self.timestamp: int | None = None
        """Milliseconds since the epoch, of the run's event that is told."""
        self.texts: dict[str, None] = {}
        self.reasonings: dict[str, None] = {}
        self.spans: dict[str, None] = {}
        self.calls: dict[str, None] = {}
        self.steps: dict[str, None] = {}

    def say(self, event: BaseEvent) -> None:
        if self.is_open:
            self.events.append(event)
            self._said()

    def begin(self, started: RunStartedEvent) -> None:
        self.is_open = True
        self.say(started)

    def end(self, last: BaseEvent) -> None:
        """The terminal event: nothing may be open any more."""
        self.say(last)
        self.is_open = False

    def close_all(self) -> None:
        for message_id in list(self.texts):
            self.end_text(message_id)
        for message_id in list(self.spans):
            self.end_reasoning(message_id)
        for call_id in list(self.calls):
            self.end_call(call_id)
        for step in list(self.steps):
            self.end_step(step)

    # Messages ----------------------------------------------------------------------------------------------------

    def start_text(self, message_id: str) -> None:
        if self.is_open and message_id not in self.texts:
            self.texts[message_id] = None
            self.say(TextMessageStartEvent(message_id=message_id, role="assistant", timestamp=self.timestamp))

    def text(self, message_id: str, delta: str) -> None:
        self.say(TextMessageContentEvent(message_id=message_id, delta=delta, timestamp=self.timestamp))

    def end_text(self, message_id: str) -> None:
        if message_id in self.texts:
            del self.texts[message_id]
            self.say(TextMessageEndEvent(message_id=message_id, timestamp=self.timestamp))

    def start_reasoning(self, message_id: str) -> None:
        """Its span and its message have the same id, as the protocol allows."""
        if self.is_open and message_id not in self.spans:
            self.spans[message_id] = None
            self.say(ReasoningStartEvent(message_id=message_id, timestamp=self.timestamp))
        if self.is_open and message_id not in self.reasonings:
            self.reasonings[message_id] = None
            event = ReasoningMessageStartEvent(message_id=message_id, role="reasoning", timestamp=self.timestamp)
            self.say(event)

    def reasoning(self, message_id: str, delta: str) -> None:
        self.say(ReasoningMessageContentEvent(message_id=message_id, delta=delta, timestamp=self.timestamp))

    def end_reasoning(self, message_id: str) -> None:
        if message_id in self.reasonings:
            del self.reasonings[message_id]
            self.say(ReasoningMessageEndEvent(message_id=message_id, timestamp=self.timestamp))
        if message_id in self.spans:
            del self.spans[message_id]
            self.say(ReasoningEndEvent(message_id=message_id, timestamp=self.timestamp))

    # Calls -------------------------------------------------------------------------------------------------------

    def start_call(self, call_id: str, name: str, message_id: str) -> None:
        if self.is_open and call_id not in self.calls:
            self.calls[call_id] = None
            start = ToolCallStartEvent(
                tool_call_id=call_id, tool_call_name=name, parent_message_id=message_id, timestamp=self.timestamp
            )
            self.say(start)

    def arguments(self, call_id: str, delta: str) -> None:
        self.say(ToolCallArgsEvent(tool_call_id=call_id, delta=delta, timestamp=self.timestamp))

    def end_call(self, call_id: str) -> None:
        if call_id in self.calls:
            del self.calls[call_id]
            self.say(ToolCallEndEvent(tool_call_id=call_id, timestamp=self.timestamp))

    def result(self, message_id: str, call_id: str, content: str) -> None:
        event = ToolCallResultEvent(
            message_id=message_id, tool_call_id=call_id, content=content, role="tool", timestamp=self.timestamp
        )
        self.say(event)

    # Steps, state and the rest -----------------------------------------------------------------------------------

    def start_step(self, step: str) -> None:
        if self.is_open and step not in self.steps:
            self.steps[step] = None
            self.say(StepStartedEvent(step_name=step, timestamp=self.timestamp))

    def end_step(self, step: str) -> None:
        if step in self.steps:
            del self.steps[step]
            self.say(StepFinishedEvent(step_name=step, timestamp=self.timestamp))

    def state(self, snapshot: Any) -> None:
        self.say(StateSnapshotEvent(snapshot=snapshot, timestamp=self.timestamp))

    def state_delta(self, patch: list[Any]) -> None:
        self.say(StateDeltaEvent(delta=patch, timestamp=self.timestamp))

    def messages(self, messages: list[Message]) -> None:
        self.say(MessagesSnapshotEvent(messages=newest_that_fit(messages), timestamp=self.timestamp))

    def activity(self, message_id: str, kind: str, content: dict[str, Any]) -> None:
        event = ActivitySnapshotEvent(
            message_id=message_id, activity_type=kind, content=content, replace=True, timestamp=self.timestamp
        )
        self.say(event)

    def custom(self, name: str, value: Any) -> None:
        self.say(CustomEvent(name=name, value=value, timestamp=self.timestamp))
