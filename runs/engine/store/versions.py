"""What changes about a run with the version of its job: the reason why nobody takes it, and a move to another one."""

from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from runs.definitions import Job
from runs.engine.store.rows import Actor, append_events, get, lock, write_audit
from runs.engine.store.start import first_end_hook
from runs.errors import RunAlreadyEnded, RunNotMovable
from runs.events.doorbell import ring
from runs.events.types import EventDraft, EventType
from runs.models import Run, RunStatus

NO_WORKER, NO_SERVER = "no_worker_for_version", "no_worker_for_queue"
COULD_GO_ON = (RunStatus.QUEUED, RunStatus.WAITING, RunStatus.RUNNING)


def set_reason(runs: QuerySet[Run], reason: str, limit: int = 500) -> int:
    """Say why these runs are not taken, or no longer; rows that somebody holds are passed over. How many changed."""
    if not runs.exists():
        return 0  # a look costs no write lock
    with transaction.atomic():
        free = runs.select_for_update(skip_locked=True, no_key=True, of=("self",)).order_by("id")
        ids = list(free.values_list("id", flat=True)[:limit])
        Run.objects.filter(id__in=ids).update(reason=reason)
    ring(ids)
    return len(ids)


def check_movable(run: Run, is_held: bool) -> None:
    """Raises RunAlreadyEnded, RunNotMovable (`is_held`: a live worker drives it)."""
    if run.status in (RunStatus.COMPLETED, RunStatus.CANCELLED):
        raise RunAlreadyEnded(run.id, run.status, "moved to another version")
    if is_held:
        raise RunNotMovable(run.id, run.status)


def move(seen: Run, job: Job, actor: Actor) -> Run:
    """Pin the run to another version of its job, if it is still as it was when its history was replayed.

    Raises RunNotFound, RunAlreadyEnded, RunNotMovable.
    """
    with transaction.atomic():
        run = lock(seen.id)
        has_moved = (run.lease_token, run.write_no, run.status) != (seen.lease_token, seen.write_no, seen.status)
        check_movable(run, is_held=has_moved)
        data = {"from": run.job_version, "to": job.version}
        message = f"Moved from version {run.job_version} to version {job.version}"
        line = {"level": "info", "message": message, "data": data, "actor": actor.as_data()}
        append_events(run, [EventDraft(EventType.LOG_WRITE, line)])
        Run.objects.filter(id=run.id).update(**_moved(run, job))
        write_audit(actor, "run.move", run, data)
    transaction.on_commit(lambda: ring([run.id]))
    return get(run.id)


def _moved(run: Run, job: Job) -> dict[str, Any]:
    values: dict[str, Any] = {
        "job_version": job.version, "concurrency_limit": job.concurrency.limit,
        "release_while_waiting": job.concurrency.release_while_waiting,
        "lease_token": F("lease_token") + 1,  # what its old worker still does can write nothing
    }  # fmt: skip
    if run.reason in (NO_WORKER, NO_SERVER):
        values["reason"] = ""
    if not run.has_ended:
        values["end_hook"] = first_end_hook(job, run.labels)
    return values
