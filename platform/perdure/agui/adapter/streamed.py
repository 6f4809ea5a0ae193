"""What one attempt of a streaming step says, from its frames and, in the end, from what was recorded.

The recorded answer is the truth, the frames are its beginning: whatever of them is lost, comes twice or too late, the
client has the recorded text once the step is complete.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from perdure.agui.adapter import ids
from perdure.agui.adapter.outlet import Outlet
from perdure.agui.adapter.parts import CallPart, Part, Whole, WholeCall, encode_name

FRAME = "perdure.frame"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Which attempt: a later one has a higher epoch or a higher number."""

    epoch: int
    attempt: int


class StreamedAnswer:
    def __init__(self, run: UUID, step: str, place: Place, outlet: Outlet) -> None:
        self._run, self._outlet = run, outlet
        self.step, self.place = step, place
        self.name_in_marks = encode_name(step)
        self.message_id = ids.message_id(run, step, place.attempt)
        self.reasoning_id = ids.reasoning_id(run, step)
        self.text, self.reasoning = Part(), Part()
        self.calls: dict[str, CallPart] = {}
        self.next_offset = 0
        """The first frame that was not taken in yet."""
        self._cursor = 0  # the frame that the follower sends next: after a reset it begins again
        self._has_hole = False
        self._again: dict[str, list[str]] | None = None  # what replayed frames say that were taken in before a restore

    @property
    def was_told(self) -> bool:
        return self.text.was_told or self.reasoning.was_told or bool(self.calls_told())

    @property
    def is_known(self) -> bool:
        """Can what was told be told again?"""
        return all(part.is_known for part in self._parts().values())

    def calls_told(self) -> list[CallPart]:
        return [call for call in self.calls.values() if call.arguments.was_told]

    # Frames ------------------------------------------------------------------------------------------------------

    def reset(self, truncated: int) -> None:
        """The follower begins this attempt anew, at frame `truncated`."""
        self._cursor, self._has_hole = truncated, truncated > self.next_offset
        self._again = {} if not truncated and self.next_offset and not self.is_known else None

    def take(self, offset: int, data: Any) -> None:
        if self._has_hole or offset < self._cursor:
            return
        if offset > self._cursor or not self._outlet.is_open:
            self._has_hole = True  # nobody hears it; the recorded answer tells the rest
            return
        self._cursor += 1
        if offset >= self.next_offset:
            self._tell(data)
        elif self._again is not None:
            self._remember(data)

    def _tell(self, data: Any) -> None:
        kind, key = _kind_of(data)
        if kind == "text":
            self._say_text(data if isinstance(data, str) else data["text"])
        elif kind == "reasoning":
            self._say_reasoning(data["text"])
        elif kind == "tool_call":
            self._say_arguments(key, data["name"], data["arguments"])
        else:
            self.next_offset += 1
            self._outlet.custom(FRAME, {"step": self.step, "data": data})

    def _say_text(self, piece: str) -> None:
        if piece:
            self._begin_text()
        self.next_offset += 1
        self._continue(self.text, piece, self.message_id, self._outlet.text)

    def _say_reasoning(self, piece: str) -> None:
        if piece:
            self._begin_reasoning()
        self.next_offset += 1
        self._continue(self.reasoning, piece, self.reasoning_id, self._outlet.reasoning)

    def _say_arguments(self, vendor_id: str, name: str, piece: str) -> None:
        call = self.calls.get(vendor_id)
        if call is None:
            own_id = ids.call_id(self._run, self.step, self.place.attempt, vendor_id)
            call = self.calls[vendor_id] = CallPart(own_id, vendor_id, name)
        call.name = call.name or name
        self._begin_call(call)
        self.next_offset += 1
        self._continue(call.arguments, piece, call.id, self._outlet.arguments)

    def _continue(self, part: Part, delta: str, name: str, say: Callable[[str, str], None]) -> None:
        if delta and self._outlet.is_open:
            part.note_sent(delta)
            say(name, delta)

    def _remember(self, data: Any) -> None:
        kind, key = _kind_of(data)
        if self._again is None or kind == "other":
            pass
        elif kind == "tool_call":
            self._again.setdefault(f"call:{key}", []).append(data["arguments"])
        else:
            self._again.setdefault(kind, []).append(data if isinstance(data, str) else data["text"])
        if self._cursor == self.next_offset and self._again is not None:
            for name, part in self._parts().items():
                part.pieces = self._again.get(name, [])
            self._again = None

    def _parts(self) -> dict[str, Part]:
        calls = {f"call:{vendor_id}": call.arguments for vendor_id, call in self.calls.items()}
        return {"text": self.text, "reasoning": self.reasoning} | calls

    # What is open ------------------------------------------------------------------------------------------------

    def _begin_reasoning(self) -> None:
        self._end_text()
        self._end_calls()
        self.reasoning.was_told |= self._outlet.is_open
        self._outlet.start_reasoning(self.reasoning_id)

    def _begin_text(self) -> None:
        self._outlet.end_reasoning(self.reasoning_id)
        self._end_calls()
        self._start_text()

    def _begin_call(self, call: CallPart) -> None:
        """After its message was opened and closed, which it belongs to, also where that has no text."""
        self._outlet.end_reasoning(self.reasoning_id)
        self._end_calls(but=call.id)
        if not self.text.was_told:
            self._start_text()
        self._end_text()
        call.arguments.was_told |= self._outlet.is_open
        self._outlet.start_call(call.id, call.name, self.message_id)

    def _start_text(self) -> None:
        self.text.was_told |= self._outlet.is_open
        self._outlet.start_text(self.message_id)

    def _end_text(self) -> None:
        self._outlet.end_text(self.message_id)

    def _end_calls(self, but: str = "") -> None:
        for call in self.calls.values():
            if call.id != but:
                self._outlet.end_call(call.id)

    def close(self) -> None:
        self._outlet.end_reasoning(self.reasoning_id)
        self._end_text()
        self._end_calls()

    # Its end -----------------------------------------------------------------------------------------------------

    def complete(self, whole: Whole) -> bool:
        """Tell what is missing. False if the client was told something else than what was recorded."""
        fits = self._complete_reasoning(whole) & self._complete_text(whole)
        told = {call.id for call in self.calls_told()}
        for call in whole.calls:
            fits &= self._complete_call(call, whole)
        self.close()
        return fits and told <= {call.id for call in whole.calls}

    def _complete_reasoning(self, whole: Whole) -> bool:
        rest = self.reasoning.rest(whole.reasoning)
        if rest:
            self._begin_reasoning()
            self._continue(self.reasoning, rest, self.reasoning_id, self._outlet.reasoning)
        return rest is not None

    def _complete_text(self, whole: Whole) -> bool:
        rest = self.text.rest(whole.text)
        if rest:
            self._begin_text()
            self._continue(self.text, rest, self.message_id, self._outlet.text)
        return rest is not None

    def _complete_call(self, whole: WholeCall, answer: Whole) -> bool:
        """Arguments that were begun are told to their end by a snapshot: their JSON was spelled by the vendor, and is
        recorded as a value."""
        call = self.calls.get(whole.vendor_id)
        if call is None or call.id != whole.id:
            call = self.calls[f"{whole.vendor_id}\0{whole.id}"] = CallPart(whole.id, whole.vendor_id, whole.name)
        if call.arguments.was_told and call.arguments.sent:
            return self.next_offset >= answer.frames and call.name in ("", whole.name)
        self._begin_call(call)
        self._continue(call.arguments, whole.text, call.id, self._outlet.arguments)
        return call.name in ("", whole.name)


def _kind_of(data: Any) -> tuple[str, str]:
    """The kind of a frame, and for a tool call the vendor's id."""
    if isinstance(data, str):
        return "text", ""
    if not isinstance(data, dict):
        return "other", ""
    kind, text = data.get("type"), data.get("text")
    if kind in ("text", "reasoning") and isinstance(text, str):
        return kind, ""
    named = (data.get("id"), data.get("name"), data.get("arguments"))
    if kind == "tool_call" and all(isinstance(one, str) for one in named):
        return "tool_call", str(named[0])
    return "other", ""
