"""Where a client is, as the id of the last event that it got: `<sequence>[b|f|-]<number>[~<answer>...]`.

The sequence is that of the last event of the run's log that was told whole. The number counts what was told since:
`b`: of what the protocol run begins with; `-`: of what the next event of the log is told as; `f`: events of stream
frames. An answer is `step,epoch,attempt,next offset,open,text,checksum,reasoning,checksum[,call,open,sent]...`:
what the client has of an answer that is still coming. Names are base64url; `open` are flags.

No secret and no authority: who makes one up hears his own stream from another place.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from perdure.agui.adapter import ids
from perdure.agui.adapter.outlet import Outlet
from perdure.agui.adapter.parts import UNKNOWN, CallPart, Part, decode_name, encode_name
from perdure.agui.adapter.streamed import Place, StreamedAnswer

_MARK: Final = re.compile(r"([0-9]{1,18})(?:([bf-])([0-9]{1,9}))?(d?)((?:~[A-Za-z0-9_,-]+)*)")
_ANSWER: Final = re.compile(r"([A-Za-z0-9_-]*)((?:,[0-9]{1,15}){8})((?:,[A-Za-z0-9_-]*,[0-9]{1,15},[0-9]{1,15})*)")
MAX_CHARACTERS: Final = 16_000  # about what servers take as a header; what an event is told with has this length too
_TEXT, _TEXT_OPEN, _REASONING, _SPAN_OPEN, _REASONING_OPEN = 1, 2, 4, 8, 16
_CALL, _CALL_OPEN = 1, 2


@dataclass(frozen=True, slots=True)
class Mark:
    sequence: int
    of: str
    number: int
    owes_snapshot: bool
    answers: tuple[str, ...]


def read(mark: str) -> Mark:
    """Raises ValueError for what is no mark."""
    found = _MARK.fullmatch(mark) if len(mark) <= MAX_CHARACTERS else None
    if found is None:
        raise ValueError(UNKNOWN)
    sequence, of, number, owes, answers = found.groups()
    return Mark(int(sequence), of or "", int(number or 0), bool(owes), tuple(answers.split("~")[1:]))


def sequence_of(mark: str) -> int:
    """The last event of the run's log before the mark, to be fed before it is restored. Raises ValueError."""
    return read(mark).sequence


def write_answers(answers: Iterable[StreamedAnswer], outlet: Outlet) -> str:
    """What the client has of the answers that are still coming."""
    return "".join(_written(answer, outlet) for answer in answers if answer.was_told or answer.next_offset)


def _written(answer: StreamedAnswer, outlet: Outlet) -> str:
    flags = (
        _TEXT * answer.text.was_told
        | _TEXT_OPEN * (answer.message_id in outlet.texts)
        | _REASONING * answer.reasoning.was_told
        | _SPAN_OPEN * (answer.reasoning_id in outlet.spans)
        | _REASONING_OPEN * (answer.reasoning_id in outlet.reasonings)
    )
    fields = (
        f"~{answer.name_in_marks},{answer.place.epoch},{answer.place.attempt},{answer.next_offset},{flags},"
        f"{answer.text.sent},{answer.text.checksum},{answer.reasoning.sent},{answer.reasoning.checksum}"
    )
    if not answer.calls:
        return fields
    return fields + "".join(
        f",{encode_name(call.vendor_id)},{_CALL | _CALL_OPEN * (call.id in outlet.calls)},{call.arguments.sent}"
        for call in answer.calls_told()
    )


def read_answers(run: UUID, mark: Mark, outlet: Outlet) -> list[StreamedAnswer]:
    """The answers, with what the client has open in the outlet. Raises ValueError; then nothing is changed."""
    rows = [_fields_of(text) for text in mark.answers]
    return [_read_answer(run, step, counts, calls, outlet) for step, counts, calls in rows]


_Calls = list[tuple[str, int, int]]


def _fields_of(text: str) -> tuple[str, list[int], _Calls]:
    found = _ANSWER.fullmatch(text)
    if found is None:
        raise ValueError(UNKNOWN)
    names, flags, sent = (found[3].split(",")[start::3] for start in (1, 2, 3))
    calls = [(decode_name(name), int(flag), int(count)) for name, flag, count in zip(names, flags, sent, strict=True)]
    return decode_name(found[1]), [int(one) for one in found[2].split(",")[1:]], calls


def _read_answer(run: UUID, step: str, counts: list[int], calls: _Calls, outlet: Outlet) -> StreamedAnswer:
    epoch, attempt, offset, flags, text, text_sum, reasoning, reasoning_sum = counts
    answer = StreamedAnswer(run, step, Place(epoch, attempt), outlet)
    answer.next_offset = offset
    answer.text = Part(text, text_sum, None, bool(flags & _TEXT))
    answer.reasoning = Part(reasoning, reasoning_sum, None, bool(flags & _REASONING))
    if flags & _TEXT_OPEN:
        outlet.texts[answer.message_id] = None
    if flags & _SPAN_OPEN:
        outlet.spans[answer.reasoning_id] = None
    if flags & _REASONING_OPEN:
        outlet.reasonings[answer.reasoning_id] = None
    for vendor_id, call_flags, sent in calls:
        own_id = ids.call_id(run, step, attempt, vendor_id)
        answer.calls[vendor_id] = CallPart(own_id, vendor_id, "", Part(sent, 0, None, bool(call_flags & _CALL)))
        if call_flags & _CALL_OPEN:
            outlet.calls[own_id] = None
    return answer
