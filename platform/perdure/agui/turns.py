"""Turns of a thread, and the protocol runs that clients see of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from ag_ui.core import Message
from django.db import transaction
from django.db.models import Case, Max, When

from perdure.agui.boundaries import RELEVANT, Boundaries
from perdure.agui.masking import mask, mask_messages
from perdure.agui.models import ProtocolRun, Thread, ThreadMessage, Turn
from perdure.agui.threads import visible_threads
from runs import clock
from runs.errors import RunNotFound
from runs.models import ENDED, Event, Run

THREAD_LABEL = "agui_thread"
"""Runs of turns have it; its value is the thread's own id, for people who look for them."""
_TITLE = 80


@dataclass(frozen=True, kw_only=True)
class ClientRun:
    """What a client says of the protocol run that it begins. `input` is without the messages, JSON."""

    run_id: str
    parent_run_id: str = ""
    protocol_version: str = ""
    input_digest: str = ""
    input: dict[str, Any] = field(default_factory=dict)


def labels_of(thread: Thread) -> dict[str, str]:
    """The labels of a run that is to be a turn of it: without them its end settles nothing."""
    return {THREAD_LABEL: str(thread.id)}


def owner_of_run(thread: Thread, user: Any) -> Any:
    """Who owns the run of a turn: whoever sees the thread must see it, so a superuser acts in its owner's name."""
    return user if thread.team_id is not None else thread.owner


def add_turn(
    thread: Thread, run: Run, messages: Sequence[Message], client: ClientRun, *, agent: str | None = None
) -> tuple[Turn, ProtocolRun]:
    """The turn that `run` is, with what the client newly said. In a transaction that holds the thread (`open_thread`).

    Messages of ids that the thread has are left out: what was said stays said. Secrets of the run's input are masked.
    """
    messages = mask_messages(run, messages)
    client = replace(client, input=mask(run, client.input))
    number = (thread.turns.aggregate(last=Max("number"))["last"] or 0) + 1
    turn = Turn.objects.create(thread=thread, number=number, run=run, created_at=clock.now())
    write_messages(turn, messages, is_input=True)
    thread.agent, thread.archived_at, thread.updated_at = agent or run.job, None, clock.now()
    thread.title = thread.title or _title_of(messages)
    thread.save(update_fields=["agent", "archived_at", "updated_at", "title"])
    return turn, _begin(turn, client, after_sequence=0, has_gap=False)


def write_messages(
    turn: Turn, messages: Sequence[Message], *, is_input: bool, models: dict[str, Any] | None = None
) -> list[ThreadMessage]:
    """Append messages to a thread that this transaction holds; those of ids that it has are left out."""
    ids = [message.id for message in messages]
    known = set(turn.thread.messages.filter(message_id__in=ids).values_list("message_id", flat=True))
    fresh: dict[str, Message] = {}
    for message in messages:
        if message.id not in known:
            fresh.setdefault(message.id, message)
    last = turn.thread.messages.aggregate(last=Max("position"))["last"] or 0
    return ThreadMessage.objects.bulk_create(
        ThreadMessage(
            thread=turn.thread, turn=turn, position=last + place, message_id=message.id, role=message.role,
            data=message.model_dump(mode="json", by_alias=True), model_message=(models or {}).get(message.id),
            is_input=is_input, created_at=clock.now(),
        ) for place, message in enumerate(fresh.values(), start=1)
    )  # fmt: skip


def live_turn(thread: Thread) -> Turn | None:
    """The turn whose run has not ended: the newest, where an operator has retried the run of an older one."""
    at_work = thread.turns.filter(run__isnull=False).exclude(run__status__in=ENDED)
    return at_work.select_related("run", "thread").order_by("-number").first()


def find_protocol_runs(user: Any, run_id: str) -> list[ProtocolRun]:
    """All parts of a protocol run, in order. Of several threads with a run of that id, the newest run's counts, of
    those that `user` began: a colleague may have given theirs the same id, and be stopped or answered in its place.

    Raises RunNotFound, also for what `user` does not see.
    """
    rows = ProtocolRun.objects.filter(run_id=run_id, thread__in=visible_threads(user).values("pk"))
    is_own = Case(When(turn__run__owner=user.pk, then=True), default=False)
    newest = rows.order_by(is_own.desc(), "-id").first() if "\0" not in run_id else None
    if newest is None:
        raise RunNotFound(run_id)
    parts = ProtocolRun.objects.filter(thread=newest.thread_id, run_id=run_id)
    return list(parts.select_related("turn__run", "turn__thread", "thread").order_by("part"))


def continue_turn(turn: Turn, client: ClientRun | None, *, will_go_on: bool = False) -> ProtocolRun:
    """The next protocol run of a turn, from the last place where it was interrupted.

    In a transaction that holds the thread, after the answers were given. Without a client it gets an id of its own.
    A turn that has not gone on from there (its answers came before, or more of them are needed) and is not known to,
    is told again from the place before: what ended there ends there again, or its client would wait for ever.
    """
    log = read_boundaries(turn)
    places = [0, *log.passed]
    begins = places[-1] if log.has_gone_on or will_go_on or len(places) == 1 else places[-2]
    return _continue(turn, client or _nobody(turn), log, begins)


def current_protocol_run(thread: Thread) -> ProtocolRun | None:
    """Of the turn under way: the one that is told now, or that ended with what people are asked now.

    Made here if the turn went on without a client: somebody answered in the inbox, or an operator retried the run.
    """
    turn = live_turn(thread)
    return None if turn is None else last_protocol_run(turn)


def last_protocol_run(turn: Turn) -> ProtocolRun:
    """The one that tells how the turn stands or ended; made here if the turn went on without a client."""
    newest, log = _newest(turn), read_boundaries(turn)
    if _next_beginning(newest, log) is None:
        return newest
    with transaction.atomic():  # two readers must not begin it twice
        Thread.objects.select_for_update(of=("self",)).filter(pk=turn.thread_id).first()
        newest, log = _newest(turn), read_boundaries(turn)
        begins = _next_beginning(newest, log)
        return newest if begins is None else _continue(turn, _nobody(turn), log, begins)


def read_boundaries(turn: Turn) -> Boundaries:
    """Where its log was cut so far. What was pruned is missing."""
    found = Boundaries()
    rows = Event.objects.filter(run=turn.run_id, type__in=RELEVANT).order_by("sequence")
    for sequence, kind, data in rows.values_list("sequence", "type", "data").iterator():
        found.feed(sequence, kind, data)
    return found


def state_before(turn: Turn) -> Any:
    """The shared state that the turn began with: what its first client sent, else the thread's."""
    first = turn.protocol_runs.order_by("id").values_list("input", flat=True).first() or {}
    return first.get("state", turn.thread.state)


def _next_beginning(newest: ProtocolRun, log: Boundaries) -> int | None:
    """Where the protocol run that is missing begins; None if `newest` is the one of now."""
    ended = log.first_after(newest.after_sequence)
    if ended is None:
        return None
    if log.has_gone_on:
        return log.last
    if ended == log.last:
        return None
    # It went on unseen and is interrupted again, perhaps by other questions: the last stretch tells them all.
    return log.passed[-2]


def _newest(turn: Turn) -> ProtocolRun:
    newest = turn.protocol_runs.select_related("turn__run", "turn__thread", "thread").order_by("-id").first()
    assert newest is not None, "a turn begins with a protocol run"
    return newest


def _nobody(turn: Turn) -> ClientRun:
    newest = _newest(turn)
    return ClientRun(run_id=str(uuid4()), parent_run_id=newest.run_id, protocol_version=newest.protocol_version)


def _continue(turn: Turn, client: ClientRun, log: Boundaries, begins: int) -> ProtocolRun:
    has_gap = log.first_after(_newest(turn).after_sequence) != begins
    if turn.run is not None:
        client = replace(client, input=mask(turn.run, client.input))
    return _begin(turn, client, after_sequence=begins, has_gap=has_gap, outcome=_end_of(turn, client))


def _end_of(turn: Turn, client: ClientRun) -> dict[str, Any] | None:
    """How a settled turn ended: nobody reads its log for this protocol run any more, and it may be cleaned up."""
    if turn.settled_at is None:
        return None
    told = turn.protocol_runs.filter(protocol_version=client.protocol_version, outcome__isnull=False)
    last: Any = told.order_by("-after_sequence", "-id").values_list("outcome", flat=True).first()
    return None if last is None else last | ({"runId": client.run_id} if "runId" in last else {})


def _begin(
    turn: Turn, client: ClientRun, *, after_sequence: int, has_gap: bool, outcome: dict[str, Any] | None = None
) -> ProtocolRun:
    parts = ProtocolRun.objects.filter(thread=turn.thread_id, run_id=client.run_id)
    return ProtocolRun.objects.create(
        turn=turn, thread=turn.thread, run_id=client.run_id, part=(parts.aggregate(last=Max("part"))["last"] or 0) + 1,
        parent_run_id=client.parent_run_id, protocol_version=client.protocol_version, after_sequence=after_sequence,
        has_gap=has_gap, input_digest=client.input_digest, input=client.input, outcome=outcome, created_at=clock.now(),
    )  # fmt: skip


def _title_of(messages: Sequence[Message]) -> str:
    """The beginning of what was said first."""
    for message in messages:
        if message.role == "user":
            text = message.content if isinstance(message.content, str) else _text_of(message.content)
            words = " ".join("".join(one if one.isprintable() else " " for one in text).split())
            return words if len(words) <= _TITLE else words[: _TITLE - 1] + "…"
    return ""


def _text_of(parts: Sequence[Any]) -> str:
    return " ".join(part.text for part in parts if part.type == "text")
