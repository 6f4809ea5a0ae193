"""The server's transcript of a thread: what clients said, and what the runs of its turns said in answer.

A turn is settled when its run has ended: its log is read once more, by the same adapter that tells it to clients, and
what that finds is written. Until then the log is the only record of it.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ag_ui.core import BaseEvent, Message, RunErrorEvent, RunFinishedEvent
from django.db import DatabaseError, transaction
from django.db.models import F, Q
from pydantic import TypeAdapter

from perdure.agui.adapter import Adapter, Opening
from perdure.agui.interrupts import load_interrupts
from perdure.agui.models import ProtocolRun, Thread, Turn
from perdure.agui.turns import last_protocol_run, state_before, write_messages
from runs import clock
from runs.events.log import read_events
from runs.events.types import EventType, RunEvent
from runs.jobs import EndedRun, redact
from runs.models import ENDED, Run, RunStatus

logger = logging.getLogger(__name__)
_message: TypeAdapter[Message] = TypeAdapter(Message)
_LAST_EVENT = {
    RunStatus.COMPLETED: EventType.RUN_COMPLETE,
    RunStatus.CANCELLED: EventType.RUN_CANCEL,
    RunStatus.FAILED: EventType.RUN_FAIL,
}


@dataclass(frozen=True)
class Told:
    """What the log of an ended run says, up to the sequence `until`. `outcomes`: protocol run → terminal event."""

    until: int
    messages: Sequence[Message]
    model_messages: dict[str, Any]
    state: Any
    outcomes: dict[int, dict[str, Any]]


def settle_run(ended: EndedRun) -> None:
    """The hook at the end of runs with the label of threads. A copy of a turn's run has the label and is no turn."""
    turn = Turn.objects.filter(run=ended.id).first()
    if turn is not None:
        settle(turn)


def settle_ended(thread: Thread) -> None:
    """Settle what has ended and is not settled yet, as the hook will: a door does not wait for it."""
    unsettled = Q(settled_at=None) | Q(settled_until__lt=F("run__last_sequence"))
    ended = Q(run=None, settled_at=None) | Q(run__status__in=ENDED)
    for turn in thread.turns.filter(ended & unsettled).order_by("number"):
        settle(turn)


def settle(turn: Turn) -> None:
    """Write what the turn's run said, if it has ended. Again, if it was retried and went on; else nothing changes."""
    run = Run.objects.filter(pk=turn.run_id).first() if turn.run_id else None
    if run is not None and not run.has_ended:
        return
    if run is not None and turn.protocol_runs.exists():
        last_protocol_run(turn)  # people answered elsewhere, and nobody was told how it ended
    told = _tell(turn, run)  # before anything is held: a log may be long
    with transaction.atomic():
        thread = Thread.objects.select_for_update(of=("self",)).filter(pk=turn.thread_id).first()
        now = Turn.objects.filter(pk=turn.pk).first()
        if thread is None or now is None or (now.settled_at is not None and now.settled_until >= told.until):
            return  # deleted, or the hook and a door came at once
        now.thread = thread
        _write(now, run, told)


def history(thread: Thread, until_turn: Turn | None = None) -> list[Message]:
    """All that was said, in order. With `until_turn` what was said before it, and what the client said to begin it.

    Beside a turn under way stand also the turns after it: it is under way again, because somebody retried its run.
    """
    return histories(thread, [until_turn])[0]


def histories(thread: Thread, until_turns: Sequence[Turn | None]) -> list[list[Message]]:
    """`history` for each of them, read once: they share their messages, or a long thread would be there many times."""
    settle_ended(thread)
    columns = ("data", "turn", "turn__number", "is_input")
    rows = thread.messages.order_by("turn__number", "position").values_list(*columns)
    said = [(_message.validate_python(data), *where) for data, *where in rows.iterator()]
    at_work = set(thread.turns.filter(run__isnull=False).exclude(run__status__in=ENDED).values_list("pk", flat=True))
    return [
        [
            message for message, turn, number, is_input in said
            if until is None
            or ((is_input or turn != until.pk) and (number <= until.number or until.pk in at_work))
        ] for until in until_turns
    ]  # fmt: skip


def _tell(turn: Turn, run: Run | None) -> Told:
    if run is None:
        error = RunErrorEvent(message="The run was deleted before its messages were kept.", code="RUN_DELETED")
        return Told(0, [], {}, turn.thread.state, dict.fromkeys(_ids(turn), _as_json(error)))
    if run.first_sequence == 1:
        try:
            return _tell_log(turn, run)
        except DatabaseError:
            raise
        except Exception:  # the conversation goes on with the answer alone
            logger.exception("The log of run %s could not be told in full", run.id)
    return _tell_end(turn, run)


def _tell_log(turn: Turn, run: Run) -> Told:
    """Protocol runs begin where those before them ended, or further on. Many may begin at one place: a client that
    asks again and again must not have the log read as often."""
    outcomes: dict[int, dict[str, Any]] = {}
    ends: dict[tuple[int, str], BaseEvent | None] = {}
    teller = Teller(turn, run)
    for part in turn.protocol_runs.select_related("thread").order_by("after_sequence", "protocol_version", "id"):
        place = (part.after_sequence, part.protocol_version)
        if place not in ends:
            teller = teller if part.after_sequence >= teller.sequence else Teller(turn, run)
            ends[place] = teller.tell(part)
        if (last := ends[place]) is not None:
            outcomes[part.pk] = _as_json(last) | ({"runId": part.run_id} if isinstance(last, RunFinishedEvent) else {})
    teller.skip(run.last_sequence)
    adapter = teller.adapter
    return Told(run.last_sequence, adapter.messages, adapter.model_messages, adapter.state, outcomes)


def _tell_end(turn: Turn, run: Run) -> Told:
    """Of a run whose log is gone: what it returned."""
    outcomes: dict[int, dict[str, Any]] = {}
    adapter = Adapter(run.id, state=state_before(turn))
    for protocol_run in turn.protocol_runs.select_related("thread").order_by("id"):
        adapter = Adapter(run.id, state=state_before(turn))
        adapter.begin(_opening(protocol_run))
        outcomes[protocol_run.pk] = _as_json(adapter.feed(_last_event(run))[-1])
    return Told(run.last_sequence, adapter.messages, {}, adapter.state, outcomes)


def _last_event(run: Run) -> RunEvent:
    output = redact(run.output, run.secrets.get("output", []))
    if isinstance(output, dict) and isinstance(output.get("text"), str):
        output = output["text"]  # a chat's answer
    data: dict[str, Any] = {"output": output} if run.status == RunStatus.COMPLETED else {"error": run.error or {}}
    kind = _LAST_EVENT[RunStatus(run.status)]
    return RunEvent(kind, run.id, data, sequence=run.last_sequence, created_at=run.finished_at)


class Teller:
    """Feeds the log of a run to an adapter, each event once."""

    def __init__(self, turn: Turn, run: Run) -> None:
        self._run = run
        self.adapter = Adapter(run.id, state=state_before(turn))
        self.sequence = 0
        self._events = self._read()

    def tell(self, protocol_run: ProtocolRun) -> BaseEvent | None:
        """The terminal event of a protocol run; None if it has none, as when it would begin at the run's end."""
        self.skip(protocol_run.after_sequence)
        if self.sequence >= self._run.last_sequence:
            return None
        told = self.adapter.begin(_opening(protocol_run))
        while self.adapter.is_open and (event := self._next()) is not None:
            told = self.adapter.feed(event, load_interrupts(self.adapter.asks(event))) or told
        last = told[-1] if told else None
        return last if isinstance(last, RunFinishedEvent | RunErrorEvent) else None

    def skip(self, until: int) -> None:
        """Read on in silence."""
        while self.sequence < until and (event := self._next()) is not None:
            self.adapter.feed(event)

    def _next(self) -> RunEvent | None:
        event = next(self._events, None)
        if event is not None and event.sequence is not None:
            self.sequence = event.sequence
        return event

    def _read(self) -> Iterator[RunEvent]:
        """Up to what the run had written when it was found ended: it may be retried meanwhile."""
        after = 0
        while after < self._run.last_sequence and (events := read_events(self._run.id, after)):
            for event in events:
                after = event.sequence or 0
                if after <= self._run.last_sequence:
                    yield event


def _opening(protocol_run: ProtocolRun) -> Opening:
    return Opening(
        thread_id=protocol_run.thread.thread_id, run_id=protocol_run.run_id,
        parent_run_id=protocol_run.parent_run_id or None, protocol_version=protocol_run.protocol_version,
        input=None, snapshots=False,
    )  # fmt: skip


def _write(turn: Turn, run: Run | None, told: Told) -> None:
    """In place of what was written when the run ended before: a retried step may have said something else."""
    turn.messages.filter(is_input=False).delete()
    written = write_messages(turn, told.messages, is_input=False, models=told.model_messages)
    if len(written) < len(told.messages):
        logger.warning("Thread %s has messages with ids of run %s", turn.thread_id, turn.run_id)
    for protocol_run, outcome in told.outcomes.items():
        ProtocolRun.objects.filter(pk=protocol_run).update(outcome=outcome)
    turn.status, turn.settled_at, turn.settled_until = run.status if run else "", clock.now(), told.until
    turn.save(update_fields=["status", "settled_at", "settled_until"])
    if not turn.thread.turns.filter(number__gt=turn.number).exists():
        turn.thread.state = told.state
    turn.thread.updated_at = clock.now()
    turn.thread.save(update_fields=["state", "updated_at"])


def _ids(turn: Turn) -> list[int]:
    return list(turn.protocol_runs.values_list("pk", flat=True))


def _as_json(event: BaseEvent) -> dict[str, Any]:
    return event.model_dump(mode="json", by_alias=True)
