"""The door of the adapter: events of a run's log and its stream frames in, the protocol's events out, each with a mark.

Everything that a client is told follows from the log and from what it was told before, so that any two readers end
with the same messages, and one that was cut off goes on from any event that it got.
"""

from collections.abc import Collection, Sequence
from typing import Any, Literal
from uuid import UUID

from ag_ui.core import PROTOCOL_VERSION, BaseEvent, Interrupt, Message, RunStartedEvent

from perdure.agui.adapter import marks
from perdure.agui.adapter.narration import Narration
from perdure.agui.adapter.opening import Opening
from perdure.agui.adapter.outlet import Outlet
from perdure.agui.adapter.parts import UNKNOWN
from runs.events.types import EventType, LiveType, RunEvent


class Adapter:
    """One reader of one turn. Until `begin()`, and between protocol runs, it only takes in what it is fed."""

    def __init__(self, run_id: UUID, history: Sequence[Message] = (), state: Any = None) -> None:
        """`history`: the messages before the turn and those that began it; `state`: what its client shares."""
        self._run_id = run_id
        self._outlet = Outlet(self._mark)
        self._narration = Narration(run_id, history, state, self._outlet)
        self._begun: list[BaseEvent] = []
        self._begun_marks: list[str] = []
        self._skipped = 0  # of what the next event of the log is told as, before a restore
        self.left_out: list[BaseEvent] = []
        """What `feed` did not return, because the client of a restored mark has it."""
        self._of_frames = 0  # events that stream frames were told as, since the last one of the log
        self._telling: Literal["b", "f", "-"] = "b"
        self._told_before = ""
        self.sequence = 0
        """The last event of the log that was fed."""
        self.boundary: int | None = None
        """The last event of the log that ended a protocol run, whether anybody was told or not."""
        self.marks: list[str] = []
        """For each event that was returned last: where a client is that got it. No `.` and no `:` in it."""

    @property
    def is_open(self) -> bool:
        return self._outlet.is_open

    @property
    def messages(self) -> list[Message]:
        """The history, and what is finished of this turn."""
        return list(self._narration.conversation.messages)

    @property
    def model_messages(self) -> dict[str, dict[str, Any]]:
        """By message id: messages that model calls made, as `providers.messages.Message` dumps them."""
        return self._narration.conversation.model_messages

    @property
    def state(self) -> Any:
        return self._narration.state.value

    @property
    def open_questions(self) -> list[tuple[str, str | None]]:
        """Question id, and the id of the tool call that it is about."""
        return [(question.id, question.tool_call_id) for question in self._narration.questions]

    @property
    def open_items(self) -> dict[str, Collection[str]]:
        """What the client has open, by kind as `OrderingGuard` names them."""
        outlet = self._outlet
        return {
            "text message": outlet.texts, "reasoning": outlet.spans, "reasoning message": outlet.reasonings,
            "tool call": outlet.calls, "step": outlet.steps,
        }  # fmt: skip

    def begin(self, opening: Opening) -> list[BaseEvent]:
        """RUN_STARTED, and the snapshots if they are wanted. Nothing while a protocol run is open."""
        if self.is_open:
            return []
        self._enter("b")
        started = RunStartedEvent(
            thread_id=opening.thread_id, run_id=opening.run_id, parent_run_id=opening.parent_run_id,
            protocol_version=PROTOCOL_VERSION, input=opening.input, timestamp=self._outlet.timestamp,
        )  # fmt: skip
        self._outlet.begin(started)
        self._narration.begin(opening)
        self._begun = self._leave()
        self._begun_marks = list(self.marks)
        return list(self._begun)

    def asks(self, event: RunEvent) -> list[tuple[str, str | None]]:
        """The questions that feeding this event interrupts for, as `open_questions`. Empty if it does not."""
        return self.open_questions if self.is_open and event.type == EventType.RUN_WAIT else []

    def feed(self, event: RunEvent, interrupts: Sequence[Interrupt] = ()) -> list[BaseEvent]:
        """What the client is told of it. `interrupts` are those of the questions that `asks` named."""
        if event.type in (LiveType.STREAM, LiveType.STREAM_RESET):
            return self._feed_frame(event)
        if event.type == LiveType.GAP:
            self.sequence = max(self.sequence, int(event.data.get("first_sequence") or 1) - 1)
        if event.sequence is None or event.sequence <= self.sequence:
            self.marks, self.left_out = [], []
            return []
        return self._feed_log(event, event.sequence, interrupts)

    def _feed_log(self, event: RunEvent, sequence: int, interrupts: Sequence[Interrupt]) -> list[BaseEvent]:
        self._enter("-", event)
        if self._narration.tell(event, interrupts):
            self.boundary = sequence
        self.sequence, self._of_frames = sequence, 0
        told, skipped, self._skipped = self._leave(), self._skipped, 0
        del self.marks[:skipped]
        self.left_out = told[:skipped]
        return told[skipped:]

    def _feed_frame(self, event: RunEvent) -> list[BaseEvent]:
        self._enter("f", event)
        if not self._skipped:  # what was told of the next event, before a restore, left these out
            self._narration.hear(event)
        return self._leave()

    def fail(self, code: str, message: str) -> list[BaseEvent]:
        """Break off with RUN_ERROR; nothing if no protocol run is open."""
        self._enter("f")
        if self.is_open:
            self._narration.break_off(code, message)
        return self._leave()

    # Marks -------------------------------------------------------------------------------------------------------

    def progress(self) -> str:
        """The mark of a client that got everything until now."""
        return f"{self.sequence}f{self._of_frames}{self._told()}"

    def restore(self, mark: str) -> list[BaseEvent]:
        """Go on where a client is that got the event of this mark; what it lacks of what `begin` gave.

        Before, all that was returned to it counts as told: feed the log up to the protocol run's beginning, `begin`,
        and feed the log up to `sequence_of(mark)`. Raises ValueError for a mark that is not of this protocol run.
        """
        found = marks.read(mark)
        if found.sequence != self.sequence or not self.is_open:
            raise ValueError(UNKNOWN)
        self._narration.answers.adopt(marks.read_answers(self._run_id, found, self._outlet))
        if found.of != "b":
            self._narration.owes_snapshot = found.owes_snapshot
        self._skipped = found.number if found.of == "-" else 0
        self._of_frames = found.number if found.of == "f" else 0
        lacking = found.number if found.of == "b" else len(self._begun)
        self.marks = self._begun_marks[lacking:]
        return self._begun[lacking:]

    def _enter(self, telling: Literal["b", "f", "-"], event: RunEvent | None = None) -> None:
        self.marks, self._outlet.events, self.left_out = [], [], []
        self._telling = telling
        if telling == "b" or (telling == "-" and self.is_open):
            self._told_before = self._told()
        at = event.created_at if event is not None else None
        self._outlet.timestamp = None if at is None else int(at.timestamp() * 1000)

    def _leave(self) -> list[BaseEvent]:
        told, self._outlet.events = self._outlet.events, []
        return told

    def _mark(self) -> None:
        if self._telling == "f":
            self._of_frames += 1
            self.marks.append(self.progress())
        else:
            self.marks.append(f"{self.sequence}{self._telling}{len(self.marks) + 1}{self._told_before}")

    def _told(self) -> str:
        owes = "d" if self._narration.owes_snapshot else ""
        return owes + marks.write_answers(self._narration.answers, self._outlet)
