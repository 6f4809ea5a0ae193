"""Signals and updates: durable messages to a run, consumed once, in order of arrival."""

from typing import Any, Literal, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from runs import clock
from runs.engine.branches import update_branch
from runs.engine.payload import Payload, clean, describe_error, encode
from runs.engine.store.rows import Actor, append_events, as_uuid, lock, wake, write_audit
from runs.engine.store.sending import EVENTS, send_at_once
from runs.errors import IdempotencyConflict, InvalidOption, RunAlreadyEnded, RunNotFound
from runs.events.doorbell import ring
from runs.events.types import EventDraft, EventType
from runs.models import Run, RunStatus, Signal, SignalKind, Step, StepStatus

_AS_TEXT = {SignalKind.SIGNAL: "a signal", SignalKind.UPDATE: "an update"}


class Sent(NamedTuple):
    """The signal or update, and whether this call made it."""

    signal: Signal
    disposition: Literal["created", "idempotent"]


def send(
    run_id: UUID | str, name: str, payload: Any, actor: Actor, idempotency_key: str | None = None,
    kind: SignalKind = SignalKind.SIGNAL,
) -> Sent:  # fmt: skip
    """Write the signal or update and wake its run, in the caller's transaction.

    The same `idempotency_key` for the same run gives the one that has it. Raises RunNotFound, RunAlreadyEnded,
    StorageError, InvalidOption, IdempotencyConflict (the key was used for another).
    """
    _check_name(name)
    payload = encode(payload, f"The payload of {kind.value} {name!r}")
    if connection.vendor == "postgresql" and idempotency_key is None:
        sent, status = _send_at_once(run_id, kind, name, payload, actor)
    else:
        sent, status = _send(run_id, kind, name, payload.value, actor, idempotency_key)
    if sent.disposition == "created":
        # only one that waited without a worker has become due
        transaction.on_commit(lambda: ring([sent.signal.run_id], only_mail=status != RunStatus.WAITING))
    return sent


def _send_at_once(run_id: UUID | str, kind: SignalKind, name: str, payload: Payload, actor: Actor) -> tuple[Sent, str]:
    """What was sent, and the run's status before."""
    found = as_uuid(run_id)
    status, signal = send_at_once(found, kind, name, payload, actor.as_data())
    if status is None:
        raise RunNotFound(run_id)
    if signal is None:
        raise _too_late(found, status, kind)
    return Sent(signal, "created"), status


def _send(
    run_id: UUID | str, kind: SignalKind, name: str, value: Any, actor: Actor, idempotency_key: str | None
) -> tuple[Sent, str]:
    with transaction.atomic():
        run = lock(run_id)
        if idempotency_key is not None and (found := find_same(run, idempotency_key, kind, name, value)):
            return Sent(found, "idempotent"), run.status
        if run.has_ended:
            raise _too_late(run.id, run.status, kind)
        signal = Signal.objects.create(
            run=run, kind=kind, name=name, payload=value, idempotency_key=idempotency_key, actor=actor.as_data(),
            created_at=clock.now(),
        )  # fmt: skip
        append_events(run, [EventDraft(EVENTS[kind], {kind.value: name, "id": signal.pk, "actor": actor.as_data()})])
        wake(run.id)
    return Sent(signal, "created"), run.status


def _too_late(run_id: UUID, status: str, kind: SignalKind) -> RunAlreadyEnded:
    return RunAlreadyEnded(run_id, status, f"sent {'an update' if kind == SignalKind.UPDATE else 'a signal'}")


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


def find_same(run: Run, key: str, kind: SignalKind, name: str, value: Any) -> Signal | None:
    """What was sent under the key before. Raises IdempotencyConflict if that was something else."""
    found = Signal.objects.filter(run=run, idempotency_key=key).first()
    if found is not None and (found.kind, found.name, found.payload) != (kind, name, value):
        raise IdempotencyConflict(key, run.id)
    return found


def close_updates(run: Run) -> None:
    """Updates that a run left behind when it failed get that as their end: whoever asked was told so.

    The caller has the run's row locked and lets it go on; what they began is not begun again.
    """
    now = clock.now()
    updates = Signal.objects.filter(run=run, kind=SignalKind.UPDATE)
    begun = updates.filter(consumed_by__isnull=False).count()
    error = describe_error(RunAlreadyEnded(run.id, run.status, "updated"))
    for number, update in enumerate(updates.filter(consumed_by=None).order_by("id"), start=begun + 1):
        taken = {"consumed_by": update_branch(number), "consumed_at": now, "error": error, "effect": None}
        Signal.objects.filter(pk=update.pk).update(**taken)
        append_events(
            run, [EventDraft(EventType.UPDATE_FAIL, {"update": update.name, "id": update.pk, "error": error})]
        )
    left = [StepStatus.RUNNING, StepStatus.RETRYING, StepStatus.STOPPED]
    Step.objects.filter(run=run, branch__startswith=update_branch(""), status__in=left).update(
        status=StepStatus.CANCELLED, finished_at=now, wake_at=None
    )
