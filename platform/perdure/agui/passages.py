"""What has to be read from the database before protocol runs are told: which parts, from where, and what stood before.

Parts of one turn that are told one after the other share one reading of its log: a passage.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any
from uuid import UUID

from ag_ui.core import Message, RunAgentInput

from perdure.agui.adapter import Opening, sequence_of
from perdure.agui.adapter.fitting import newest_that_fit
from perdure.agui.conf import get_settings
from perdure.agui.errors import InvalidInput, SessionExpired
from perdure.agui.models import ProtocolRun, Turn
from perdure.agui.transcript import histories
from perdure.agui.turns import read_boundaries, state_before
from runs import clock


@dataclass(frozen=True, slots=True)
class Place:
    """An event of a stream, as `Last-Event-ID` names it: `<key of its protocol run>.<the adapter's mark after it>`.

    `s<sequence>` behind the key says that the run was told with snapshots first, as of there: a stream may be cut off
    among them, and what began before them was not told.
    """

    part: int
    mark: str
    snapshots_at: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Raises InvalidInput for what no stream has sent."""
        key, _, mark = text.partition(".")
        part, has_snapshots, at = key.partition("s")
        try:
            sequence_of(mark)
            return cls(int(part), mark, int(at) if has_snapshots else None)
        except ValueError:
            raise unknown_place() from None

    def __str__(self) -> str:
        return f"{self.part}{'' if self.snapshots_at is None else f's{self.snapshots_at}'}.{self.mark}"


@dataclass(frozen=True, slots=True)
class Part:
    """One protocol run. It begins once the log was read up to `begins`."""

    id: int
    opening: Opening
    begins: int
    outcome: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Passage:
    """Parts of one turn. `run_id` is None where its log is gone: then the transcript and the outcomes tell it."""

    run_id: UUID | None
    turn_id: UUID
    agent: str
    history: list[Message]
    state: Any
    parts: list[Part]


@dataclass(frozen=True, slots=True)
class _Chosen:
    row: ProtocolRun
    begins: int
    snapshots: bool


def read_passages(
    protocol_runs: Sequence[ProtocolRun], *, place: Place | None = None, joins: bool = False, snapshots: bool = False
) -> list[Passage]:
    """All that these protocol runs (of one thread, in order) are told from; from `place` on if there is one.

    What is too long to be told event by event is left out from the front; the first that is told begins with
    snapshots then. Who `joins` is told what the user had said, and, in the midst of a turn, what came before.
    Raises SessionExpired where `place` is in a log that is gone or was kept long enough, InvalidInput for a place
    that is not in these runs.
    """
    if place is not None:
        chosen = [_Chosen(row, row.after_sequence, row.has_gap) for row in _from_place(protocol_runs, place)]
        if place.snapshots_at is not None:
            chosen[0] = replace(chosen[0], begins=place.snapshots_at)
        chosen[0] = replace(chosen[0], snapshots=place.snapshots_at is not None)
    else:
        chosen = _shortened([_Chosen(row, row.after_sequence, row.has_gap) for row in protocol_runs])
        if chosen and (snapshots or (joins and chosen[0].begins > 0)):
            chosen[0] = replace(chosen[0], snapshots=True)
    turns = [list(same) for _, same in groupby(chosen, key=lambda one: one.row.turn_id)]
    if not turns:
        return []
    until = [turn if is_told_by_events(turn) else None for turn in (same[0].row.turn for same in turns)]
    said = histories(turns[0][0].row.thread, until)
    return [
        _passage(same, history, _echo(same, history, index) if joins else [])
        for index, (same, history) in enumerate(zip(turns, said, strict=True))
    ]


def is_told_by_events(turn: Turn) -> bool:
    """Is its log still there, and recent enough to be told event by event?"""
    run, kept = turn.run, get_settings().session_ttl_sec
    if run is None or run.first_sequence > 1:
        return False
    ended = run.finished_at
    return ended is None or kept is None or (clock.now() - ended).total_seconds() <= kept


def _from_place(protocol_runs: Sequence[ProtocolRun], place: Place) -> list[ProtocolRun]:
    ids = [row.pk for row in protocol_runs]
    if place.part not in ids:
        raise unknown_place()
    row = protocol_runs[ids.index(place.part)]
    if row.turn.run is None or not is_told_by_events(row.turn):
        raise SessionExpired(row.run_id)
    begins = row.after_sequence if place.snapshots_at is None else place.snapshots_at
    if not row.after_sequence <= begins <= sequence_of(place.mark) <= row.turn.run.last_sequence:
        raise unknown_place()
    return list(protocol_runs[ids.index(place.part) :])


def _shortened(chosen: list[_Chosen]) -> list[_Chosen]:
    """As many of the last as fit. A turn whose log is gone is told by its transcript, which holds all before it too."""
    room = get_settings().max_events_per_session
    for index in range(len(chosen) - 1, -1, -1):
        one = chosen[index]
        if not is_told_by_events(one.row.turn):
            return chosen[index:]
        end = _end(one.row)
        if end - one.begins > room:
            last = chosen[index + 1 :]
            # The last one is always told, from as far back as there is room.
            return [replace(last[0], snapshots=True), *last[1:]] if last else [_Chosen(one.row, end - room, True)]
        room -= end - one.begins
    return chosen


def _end(row: ProtocolRun) -> int:
    """The sequence that it is told up to, as far as there is anything now."""
    assert row.turn.run is not None
    last = row.turn.run.last_sequence
    if last - row.after_sequence <= get_settings().max_events_per_session:
        return last  # where exactly does not matter
    return read_boundaries(row.turn).first_after(row.after_sequence) or last


def _echo(chosen: list[_Chosen], said: list[Message], index: int) -> list[Message]:
    """What a client that joins is told by the run's input: all of it by the first; by each after that what was new."""
    if index == 0:
        return newest_that_fit(said)
    new = set(chosen[0].row.turn.messages.filter(is_input=True).values_list("message_id", flat=True))
    return [message for message in said if message.id in new]


def _passage(chosen: list[_Chosen], said: list[Message], echo: list[Message]) -> Passage:
    turn = chosen[0].row.turn
    by_events = is_told_by_events(turn)
    parts = [Part(one.row.pk, _opening(one, echo), one.begins, one.row.outcome) for one in chosen]
    if not by_events:
        parts = [replace(one, opening=replace(one.opening, snapshots=True)) for one in parts[-1:]]
    state = state_before(turn) if by_events else turn.thread.state
    return Passage(turn.run_id if by_events else None, turn.pk, turn.thread.agent, said, state, parts)


def _opening(one: _Chosen, said: list[Message]) -> Opening:
    row = one.row
    echo = RunAgentInput(
        thread_id=row.thread.thread_id, run_id=row.run_id, state=row.input.get("state", {}), messages=said,
        tools=[], context=[], forwarded_props={},
    )  # fmt: skip
    return Opening(
        thread_id=row.thread.thread_id, run_id=row.run_id, parent_run_id=row.parent_run_id or None,
        protocol_version=row.protocol_version, input=echo if said and row.after_sequence == 0 else None,
        snapshots=one.snapshots,
    )  # fmt: skip


def unknown_place() -> InvalidInput:
    return InvalidInput.of("Last-Event-ID", "is not the id of an event of this run")
