"""What every transition of a caller needs: the locked row, its events, who did it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.db.models import F

from runs import clock
from runs.engine.payload import clean
from runs.errors import RunNotFound
from runs.events.types import EventDraft
from runs.models import ENDED, Audit, Event, Preset, Run, RunStatus, Schedule


@dataclass(frozen=True, slots=True)
class Actor:
    """Who or what caused a change; `kind` is user, token, schedule, system or worker."""

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


def append_event_to_each(drafts: Mapping[Run, EventDraft]) -> None:
    """Add one event to each of these runs, whose rows this transaction holds (two statements for all)."""
    now = clock.now()
    Event.objects.bulk_create(
        Event(run_id=run.id, sequence=run.last_sequence + 1, type=draft.type.value, step=draft.step,
              attempt=draft.attempt, data=draft.data, created_at=now)
        for run, draft in drafts.items()
    )  # fmt: skip
    Run.objects.filter(id__in=[run.id for run in drafts]).update(last_sequence=F("last_sequence") + 1)
    for run in drafts:
        run.last_sequence += 1


def write_audit(
    actor: Actor, action: str, target: Run | Schedule | Preset | str, data: Mapping[str, Any] | None = None
) -> None:
    """Who did what; the row outlives what it was done to."""
    Audit.objects.create(
        at=clock.now(), actor_kind=actor.kind, actor_id=actor.id, actor_name=clean(actor.name, 200), action=action,
        target=target if isinstance(target, str) else str(target.id), data=data or {}, address=actor.address,
    )  # fmt: skip


def get(run_id: UUID | str) -> Run:
    """The run. Raises RunNotFound, also for what is no id."""
    run = Run.objects.filter(id=as_uuid(run_id)).first()
    if run is None:
        raise RunNotFound(run_id)
    return run


def as_uuid(run_id: UUID | str) -> UUID:
    """Raises RunNotFound for what is no id."""
    try:
        return run_id if isinstance(run_id, UUID) else UUID(run_id)
    except (ValueError, AttributeError, TypeError) as exc:
        raise RunNotFound(run_id) from exc


def lock(run_id: UUID | str) -> Run:
    """The run, held until the transaction ends. Raises RunNotFound."""
    run = Run.objects.select_for_update(no_key=True, of=("self",)).filter(id=as_uuid(run_id)).first()
    if run is None:
        raise RunNotFound(run_id)
    return run


def wake(run_id: UUID) -> None:
    """Something can end a wait of this run: raise its inbox, and queue it if it is unloaded.

    In the transaction of the rows that woke it: going idle is conditional on the inbox, so neither is lost.
    """
    Run.objects.filter(id=run_id).exclude(status__in=ENDED).update(inbox=F("inbox") + 1)
    Run.objects.filter(id=run_id, status=RunStatus.WAITING).update(
        status=RunStatus.QUEUED, reason="", due_at=clock.sql_now()
    )


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
