"""Signals: durable messages to a run, consumed once, in order of arrival."""

from typing import Any, Literal, NamedTuple
from uuid import UUID

from django.db import transaction

from runs import clock
from runs.engine.payload import clean, encode
from runs.engine.store.rows import Actor, append_events, lock, wake, write_audit
from runs.errors import IdempotencyConflict, InvalidOption, RunAlreadyEnded
from runs.events.doorbell import ring
from runs.events.types import EventDraft, EventType
from runs.models import Run, Signal, SignalKind


class Sent(NamedTuple):
    """The signal, and whether this call made it."""

    signal: Signal
    disposition: Literal["created", "idempotent"]


def send(
    run_id: UUID | str, name: str, payload: Any, actor: Actor, idempotency_key: str | None = None,
    kind: SignalKind = SignalKind.SIGNAL,
) -> Sent:  # fmt: skip
    """Write the signal and wake its run, in the caller's transaction.

    The same `idempotency_key` for the same run gives the signal that has it. Raises RunNotFound, RunAlreadyEnded,
    StorageError, InvalidOption, IdempotencyConflict (the key was used for another signal).
    """
    _check_name(name)
    value = encode(payload, f"The payload of signal {name!r}").value
    with transaction.atomic():
        run = lock(run_id)
        if idempotency_key is not None and (found := _same(run, idempotency_key, name, value)):
            return Sent(found, "idempotent")
        if run.has_ended:
            raise RunAlreadyEnded(run.id, run.status, "sent a signal")
        signal = Signal.objects.create(
            run=run, kind=kind, name=name, payload=value, idempotency_key=idempotency_key, actor=actor.as_data(),
            created_at=clock.now(),
        )  # fmt: skip
        type_ = EventType.UPDATE_ACCEPT if kind == SignalKind.UPDATE else EventType.SIGNAL_RECEIVE
        append_events(run, [EventDraft(type_, {"signal": name, "id": signal.pk, "actor": actor.as_data()})])
        wake(run.id)
    transaction.on_commit(lambda: ring([run.id]))
    return Sent(signal, "created")


def record(run_id: UUID | str, event: EventDraft, actor: Actor, action: str, data: Any) -> Run:
    """Add an event that another app makes, and its Audit row. Raises RunNotFound, RunAlreadyEnded."""
    with transaction.atomic():
        run = lock(run_id)
        if run.has_ended:
            raise RunAlreadyEnded(run.id, run.status, "changed")
        append_events(run, [event])
        if action:
            write_audit(actor, action, run, data)
    transaction.on_commit(lambda: ring([run.id]))
    return run


def _check_name(name: str) -> None:
    if not name or len(name) > 200 or not name.isprintable() or name != clean(name):
        raise InvalidOption("name", "is empty, longer than 200 or not printable", "Send plain text.")


def _same(run: Run, key: str, name: str, value: Any) -> Signal | None:
    found = Signal.objects.filter(run=run, idempotency_key=key).first()
    if found is not None and (found.name, found.payload) != (name, value):
        raise IdempotencyConflict(key, run.id)
    return found
