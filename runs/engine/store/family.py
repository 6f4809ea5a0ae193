"""Parents and children. What the end of one run means for another is a transition of its own, repeated until done."""

import logging
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from runs import clock
from runs.definitions import Job
from runs.engine.payload import Payload, encode
from runs.engine.store.budgets import open_all, still_there
from runs.engine.store.control import cancel
from runs.engine.store.inserting import NewRow, insert
from runs.engine.store.repairs import note
from runs.engine.store.rows import SYSTEM, Actor, wake
from runs.engine.store.start import StartOptions, budget_for, new_run
from runs.errors import InvalidOption, RunAlreadyEnded, RunNotFound
from runs.events.doorbell import ring
from runs.models import ENDED, Run, RunStatus

log = logging.getLogger(__name__)

LATE: Final = timedelta(seconds=60)
"""The sweep comes by every second: what it finds after a minute is written down."""


def check(job: Job, value: Any, options: dict[str, Any]) -> Payload:
    """Refuse what could not be started before anything is recorded. Raises InvalidInput, InvalidOption."""
    if options.get("idempotency_key") is not None:
        raise InvalidOption("idempotency_key", "is not for children", "Its step starts it once; leave it out.")
    wanted = StartOptions(**options)
    wanted.check()
    budget_for(job, wanted)
    return encode(job.parse_input(value), f"The input of job {job.name!r}")


def start_child(
    parent: Run, step: str, child_id: UUID, job: Job, value: Any, options: dict[str, Any], detached: bool = False
) -> None:
    """Start the child if it is not there yet. It belongs to the parent's owner and team."""
    payload = check(job, value, options)
    run, budget = new_run(job, payload, StartOptions(**{"owner": parent.owner, "team": parent.team} | options))
    run.id, run.parent_id, run.root_id, run.is_detached = child_id, parent.id, parent.root_id or parent.id, detached
    actor = Actor("run", str(parent.id), parent.job).as_data()
    with transaction.atomic():
        above = still_there(parent.budget_of)
        run.budget_of = run.id if budget is not None else above
        made = insert([NewRow(run, {"actor": actor, "step": step, "labels": run.labels}, payload.size)])
        if made:
            open_all([(run, budget, above)])
    if made:
        ring([child_id])


def tell_parents(limit: int = 100) -> int:
    """Wake the parents of ended children that do not know it yet, and cancel what a cancelled parent left running."""
    untold = Run.objects.filter(tell_parent=True).order_by("id").values_list("id", "parent_id", "finished_at")[:limit]
    for child_id, parent_id, ended_at in untold:
        _tell(child_id, parent_id, _late_since(ended_at))
    return len(untold) + _cancel_orphans(limit)


def _tell(child_id: UUID, parent_id: UUID | None, late: str) -> None:
    with transaction.atomic():
        if parent_id is not None:
            wake(parent_id)
            if late and Run.objects.filter(id=child_id, tell_parent=True).exists():  # nobody was quicker
                note(parent_id, f"Repaired: the end of child {child_id} was told {late}.", "parent_not_told")
        Run.objects.filter(id=child_id).update(tell_parent=False)
    if parent_id is not None:
        ring([parent_id])


def _cancel_orphans(limit: int) -> int:
    """The first two conditions are those of an index: it is asked every second, however many runs there are."""
    under_way = Run.objects.filter(parent__isnull=False, finished_at=None, is_detached=False)
    left = under_way.filter(~Q(status__in=ENDED), parent__status=RunStatus.CANCELLED)
    rows = left.values_list("id", "parent__finished_at")[:limit]
    for run_id, ended_at in rows:
        late = _late_since(ended_at)
        reason = f"its parent was cancelled; found {late}" if late else "its parent was cancelled"
        try:
            cancel(run_id, SYSTEM, reason)
        except (RunAlreadyEnded, RunNotFound):
            continue
    return len(rows)


def _late_since(ended_at: datetime | None) -> str:
    """How late that is, in words; empty for what was to be expected."""
    late = timedelta(0) if ended_at is None else clock.now() - ended_at
    if late < LATE:
        return ""
    words = f"{late.total_seconds() // 60:.0f} minutes late"
    log.warning("What a run's end means for another was found %s.", words)
    return words
