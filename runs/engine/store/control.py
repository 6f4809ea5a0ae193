"""Transitions that callers make: start, cancel, resume, delete. Each locks its own run's row and no other."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, Self
from uuid import UUID

from django.db import transaction
from django.db.models import F

from runs import clock
from runs.definitions import Job
from runs.engine.payload import Payload, clean, encode
from runs.errors import (
    IdempotencyConflict,
    InvalidOption,
    RunAlreadyEnded,
    RunNotFinished,
    RunNotFound,
    RunNotPaused,
)
from runs.events.doorbell import ring
from runs.events.types import EventDraft, EventType
from runs.models import Attempt, AttemptOutcome, Audit, EndHook, Event, Run, RunStatus, Step, StepStatus


@dataclass(frozen=True, slots=True)
class Actor:
    """Who or what caused a change; `kind` is user, token, system or worker."""

    kind: str
    id: str = ""
    name: str = ""
    address: str = ""

    @classmethod
    def of(cls, user: Any, *, kind: str = "user", address: str = "") -> Self:
        return cls(kind, str(user.pk), user.get_username(), address)

    def as_data(self) -> dict[str, str]:
        return {"kind": self.kind, "id": self.id, "name": clean(self.name, 200)}


SYSTEM = Actor("system")


class Started(NamedTuple):
    """The run, and whether this call made it."""

    run: Run
    disposition: Literal["created", "idempotent"]


@dataclass(frozen=True, kw_only=True)
class StartOptions:
    """How a run is started; see `runs.jobs.start`."""

    owner: Any = None
    team: Any = None
    labels: dict[str, str] | None = None
    idempotency_key: str | None = None
    priority: int = 0
    queue: str | None = None
    run_at: datetime | None = None

    def check(self) -> None:
        """Raises InvalidOption for what the row could not hold."""
        _check_labels(self.labels or {})
        _check_text("idempotency_key", self.idempotency_key)
        _check_text("queue", self.queue, 100)
        if not -(2**31) <= self.priority < 2**31:
            raise InvalidOption("priority", "is no 32-bit number", "Use a number such as -10, 0 or 10.")
        if self.run_at is not None and self.run_at.tzinfo is None:
            raise InvalidOption("run_at", "has no time zone", "Give one, as in 2030-01-31T12:00:00Z.")


def _check_labels(labels: dict[str, str]) -> None:
    for key, value in labels.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise InvalidOption("labels", "holds what is no text", "Use text keys and text values.")
        _check_text("labels", key)
        if value:
            _check_text("labels", value)
    if len(labels) > 50:
        raise InvalidOption("labels", "has more than 50 entries", "Use fewer labels.")


def _check_text(option: str, value: str | None, limit: int = 200) -> None:
    if value is None:
        return
    if not value or len(value) > limit or value != clean(value) or not value.isprintable():
        raise InvalidOption(option, f"is empty, longer than {limit} or not printable", "Send plain text.")


def start(job: Job, value: Any, options: StartOptions, actor: Actor) -> Started:
    """One INSERT in the caller's transaction: the runs table is the queue.

    Raises InvalidInput, InvalidOption, StorageError, IdempotencyConflict; then there is no run.
    """
    options.check()
    payload = encode(job.parse_input(value), f"The input of job {job.name!r}")
    run = _new_run(job, payload, options)
    with transaction.atomic():
        found = _insert(run, payload)
        if found.id == run.id:
            data = {"actor": actor.as_data(), "labels": run.labels, "run_at": _iso(run.run_at)}
            append_events(run, [EventDraft(EventType.RUN_QUEUED, data)])
            write_audit(actor, "run.start", run, {"job": job.name})
    if found.id != run.id:
        return Started(found, "idempotent")
    transaction.on_commit(lambda: ring([run.id]))
    return Started(found, "created")


def _new_run(job: Job, payload: Payload, options: StartOptions) -> Run:
    now = clock.now()
    run_at = options.run_at or now
    return Run(
        job=job.name, job_version=job.version, queue=options.queue or job.queue, priority=options.priority,
        labels=options.labels or {}, owner=options.owner, team=options.team,
        idempotency_key=options.idempotency_key, created_at=now, run_at=run_at, due_at=run_at,
        input=payload.value, secrets={"input": payload.secrets} if payload.secrets else {},
        end_hook=EndHook.ARMED if job.on_end else EndHook.NONE,
    )  # fmt: skip


def _insert(run: Run, payload: Payload) -> Run:
    """The new row, or the one that has its idempotency key; read in a new statement, which sees its commit."""
    if run.idempotency_key is None:
        run.save(force_insert=True)
        return run
    Run.objects.bulk_create([run], ignore_conflicts=True)
    same_key = Run.objects.filter(job=run.job, idempotency_key=run.idempotency_key, team=run.team)
    found = same_key.get() if run.team else same_key.get(owner=run.owner)
    if found.id != run.id and found.input != payload.value:
        raise IdempotencyConflict(run.idempotency_key, found.id)
    return found


def append_events(run: Run, drafts: Iterable[EventDraft]) -> None:
    """Add events to a run whose row this transaction holds; keeps `run.last_sequence` in step."""
    now = clock.now()
    rows = [
        Event(run_id=run.id, sequence=run.last_sequence + place, type=draft.type.value, step=draft.step,
              attempt=draft.attempt, data=draft.data, created_at=now)
        for place, draft in enumerate(drafts, start=1)
    ]  # fmt: skip
    Event.objects.bulk_create(rows)
    run.last_sequence += len(rows)
    Run.objects.filter(id=run.id).update(last_sequence=run.last_sequence)


def write_audit(actor: Actor, action: str, run: Run, data: dict[str, Any] | None = None) -> None:
    """Who did what; the row outlives the run."""
    Audit.objects.create(
        at=clock.now(), actor_kind=actor.kind, actor_id=actor.id, actor_name=clean(actor.name, 200), action=action,
        target=str(run.id), data=data or {}, address=actor.address,
    )  # fmt: skip


def get(run_id: UUID | str) -> Run:
    """The run. Raises RunNotFound, also for what is no id."""
    run = Run.objects.filter(id=_as_uuid(run_id)).first()
    if run is None:
        raise RunNotFound(run_id)
    return run


def _as_uuid(run_id: UUID | str) -> UUID:
    try:
        return run_id if isinstance(run_id, UUID) else UUID(run_id)
    except (ValueError, AttributeError, TypeError) as exc:
        raise RunNotFound(run_id) from exc


def _lock(run_id: UUID | str) -> Run:
    run = Run.objects.select_for_update(no_key=True, of=("self",)).filter(id=_as_uuid(run_id)).first()
    if run is None:
        raise RunNotFound(run_id)
    return run


def cancel(run_id: UUID | str, actor: Actor, reason: str) -> Run:
    """End the run now: its token moves on, so whatever its worker still does can write nothing.

    Raises RunNotFound, RunAlreadyEnded.
    """
    with transaction.atomic():
        run = _lock(run_id)
        if run.has_ended:
            raise RunAlreadyEnded(run.id, run.status, "cancelled")
        drafts = _cancel_open_steps(run)
        data = {"actor": actor.as_data(), "reason": clean(reason, 500)}
        append_events(run, [*drafts, EventDraft(EventType.RUN_CANCEL, data)])
        _end_as_cancelled(run, clean(reason, 200))
        write_audit(actor, "run.cancel", run, {"reason": clean(reason, 500)})
    transaction.on_commit(lambda: ring([run.id]))
    return get(run.id)


def _cancel_open_steps(run: Run) -> list[EventDraft]:
    now = clock.now()
    opened = Step.objects.filter(run=run, status__in=[StepStatus.RUNNING, StepStatus.RETRYING])
    drafts = [EventDraft(EventType.STEP_CANCEL, step=step.name, attempt=step.attempts) for step in opened]
    opened.update(status=StepStatus.CANCELLED, finished_at=now, retry_at=None)
    Attempt.objects.filter(run=run, outcome=AttemptOutcome.OPEN).update(outcome=AttemptOutcome.CANCELLED, ended_at=now)
    return drafts


def _end_as_cancelled(run: Run, reason: str) -> None:
    worked = 0
    if run.status == RunStatus.RUNNING and run.claimed_at:
        worked = max(0, int((clock.now() - run.claimed_at).total_seconds() * 1000))
    Run.objects.filter(id=run.id).update(
        status=RunStatus.CANCELLED, reason=reason, lease_token=F("lease_token") + 1, lease_worker=None, due_at=None,
        claims=0, finished_at=clock.now(), active_ms=F("active_ms") + worked,
        end_hook=EndHook.DUE if run.end_hook == EndHook.ARMED else run.end_hook,
    )  # fmt: skip


def resume(run_id: UUID | str, actor: Actor) -> Run:
    """Queue a paused run again. Raises RunNotFound, RunNotPaused."""
    with transaction.atomic():
        run = _lock(run_id)
        if run.status != RunStatus.PAUSED:
            raise RunNotPaused(run.id, run.status)
        Run.objects.filter(id=run.id).update(
            status=RunStatus.QUEUED,
            reason="",
            due_at=clock.sql_now(),
            claims=0,
            error=None,
            inbox=F("inbox") + 1,
        )
        append_events(run, [EventDraft(EventType.RUN_RESUME, {"actor": actor.as_data()})])
        write_audit(actor, "run.resume", run)
    transaction.on_commit(lambda: ring([run.id]))
    return get(run.id)


def delete(run_id: UUID | str, actor: Actor) -> None:
    """Remove an ended run with its history; the audit row stays. Raises RunNotFound, RunNotFinished."""
    with transaction.atomic():
        run = _lock(run_id)
        if not run.has_ended or run.end_hook == EndHook.DUE:
            raise RunNotFinished(run.id, run.status if not run.has_ended else "calling its on_end hook")
        write_audit(actor, "run.delete", run, {"job": run.job, "status": run.status})
        Run.objects.filter(id=run.id).delete()
    transaction.on_commit(lambda: ring([run.id]))


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
