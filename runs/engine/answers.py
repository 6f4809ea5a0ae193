"""Sending an update to a run, and what became of it."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from django.db import connection

from runs import clock
from runs.definitions import registry
from runs.engine.payload import clean, encode
from runs.engine.queries import RunView, call_aside
from runs.engine.store import messages, rows
from runs.engine.store.rows import SYSTEM, Actor
from runs.errors import HandlerTimeout, RunAlreadyEnded, UpdateNotFound, UpdateRefused
from runs.handlers import Update
from runs.models import Run, Signal, SignalKind

_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.2


@dataclass(frozen=True, slots=True)
class UpdateAnswer:
    """What became of an update: accepted (its result is not there yet), completed with `result`, failed with `error`.

    `error` is `{"type", "message", "traceback"?}`; an update that its run's end left behind has failed, too.
    """

    id: int
    run_id: UUID
    name: str
    status: Literal["accepted", "completed", "failed"]
    result: Any
    error: dict[str, Any] | None
    created_at: datetime
    finished_at: datetime | None


def update(
    run_id: UUID | str,
    name: str,
    payload: Any = None,
    *,
    wait: timedelta = timedelta(),
    idempotency_key: str | None = None,
    actor: Actor = SYSTEM,
) -> UpdateAnswer:
    """Have the run call its job's handler `name`, once, in order of arrival; what became of it within `wait`.

    Without a `wait`, and inside a transaction, that is mostly "accepted"; ask `get_update` later. The same
    `idempotency_key` gives the update that has it. Raises RunNotFound, JobNotFound, HandlerNotFound,
    InvalidArguments, UpdateRefused, HandlerTimeout, RunAlreadyEnded, StorageError, IdempotencyConflict.
    """
    run = rows.get(run_id)
    handler: Update = registry.get(run.job, run.job_version).updates.find(name)
    given = handler.parse(payload)
    value = encode(payload, f"The payload of {handler.what}").value
    key = idempotency_key
    found = messages.find_same(run, key, SignalKind.UPDATE, name, value) if key is not None else None
    if found is None:
        if run.has_ended:
            raise RunAlreadyEnded(run.id, run.status, "sent an update")
        _validate(run, handler, given)
        found = messages.send(run.id, name, payload, actor, key, SignalKind.UPDATE).signal
    return _wait_for(found, wait)


def get_update(run_id: UUID | str, update_id: int) -> UpdateAnswer:
    """What became of an update by now. Raises RunNotFound, UpdateNotFound."""
    # the run first: an update that is open after its run was seen to have ended stays so
    run = rows.get(run_id)
    if not 0 <= update_id < 2**63:
        raise UpdateNotFound(run.id, update_id)
    sent = Signal.objects.filter(run=run, kind=SignalKind.UPDATE, pk=update_id).first()
    if sent is None:
        raise UpdateNotFound(run.id, update_id)
    return _answer(run, sent)


def _answer(run: Run, sent: Signal) -> UpdateAnswer:
    """`run` was read before `sent`."""
    status: Literal["accepted", "completed", "failed"] = "failed" if sent.error is not None else "completed"
    error, finished_at = sent.error, sent.consumed_at
    if sent.consumed_at is None:
        status = "failed" if run.has_ended else "accepted"
        finished_at = run.finished_at
        if run.has_ended:
            left = RunAlreadyEnded(run.id, run.status, "updated")
            error = {"type": type(left).__name__, "message": str(left)}
    return UpdateAnswer(sent.pk, run.id, sent.name, status, sent.result, error, sent.created_at, finished_at)


def _validate(run: Run, handler: Update, given: tuple[Any, ...]) -> None:
    check = handler.check
    if check is None:
        return
    try:
        call_aside(f"validator of {handler.what}", lambda: check(RunView(run), *given))
    except HandlerTimeout:
        raise
    except Exception as exc:
        raise UpdateRefused(handler.name, clean(str(exc).rstrip(".") or type(exc).__name__, 500)) from exc


def _wait_for(sent: Signal, wait: timedelta) -> UpdateAnswer:
    """Until its end is recorded, or `wait` is over; not in a transaction, whose rows nobody else can see."""
    until = clock.monotonic() + (0 if connection.in_atomic_block else wait.total_seconds())
    pause = _FIRST_PAUSE
    while (answer := get_update(sent.run_id, sent.pk)).status == "accepted" and clock.monotonic() < until:
        time.sleep(min(pause, max(0.0, until - clock.monotonic())))
        pause = min(pause * 2, _LONGEST_PAUSE)
    return answer
