"""Runs with a log as a committed transition leaves them: row and events in one transaction, numbers from the row."""

from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import transaction

from runs import clock
from runs.events.types import EventType
from runs.models import Attempt, Event, Run, RunStatus

_STATUS_AFTER = {
    EventType.RUN_START: RunStatus.RUNNING,
    EventType.RUN_COMPLETE: RunStatus.COMPLETED,
    EventType.RUN_FAIL: RunStatus.FAILED,
    EventType.RUN_CANCEL: RunStatus.CANCELLED,
}


def make_run(**fields: Any) -> Run:
    now = clock.now()
    return Run.objects.create(**({"job": "test", "created_at": now, "run_at": now, "lease_token": 1} | fields))


def write(run_id: UUID, *types: str, step: str | None = None, attempt: int | None = None, **data: Any) -> None:
    """Append one event of each type."""
    with transaction.atomic():
        run = Run.objects.select_for_update().get(pk=run_id)
        for kind in types:
            run.last_sequence += 1
            run.status = _STATUS_AFTER.get(EventType(kind), run.status)
            Event.objects.create(
                run=run, sequence=run.last_sequence, type=kind, step=step, attempt=attempt, data=data,
                created_at=clock.now(),
            )  # fmt: skip
        run.save()


def begin_attempt(run_id: UUID, step: str, number: int, epoch: int) -> None:
    Run.objects.filter(pk=run_id).update(lease_token=epoch)
    Attempt.objects.create(run_id=run_id, step_name=step, number=number, epoch=epoch, started_at=clock.now())
    write(run_id, "step:start", step=step, attempt=number)


def prune(run_id: UUID, first: int) -> None:
    with transaction.atomic():
        Run.objects.filter(pk=run_id).update(first_sequence=first)
        Event.objects.filter(run_id=run_id, sequence__lt=first).delete()


amake_run = sync_to_async(make_run)
awrite = sync_to_async(write)
abegin_attempt = sync_to_async(begin_attempt)
aprune = sync_to_async(prune)
