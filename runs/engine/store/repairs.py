"""Making hold again what a hand in the database, a restored backup or a fault has broken: ordinary transitions, each
with a line in the run's log. Going on is always safe: whoever is woken looks at the rows again."""

from collections.abc import Callable
from uuid import UUID

from django.db import transaction
from django.db.models import F

from runs import clock
from runs.engine.store.rows import SYSTEM, Actor, append_events, wake, write_audit
from runs.events.doorbell import ring
from runs.events.types import EventDraft, EventType
from runs.models import EndHook, Run, RunStatus


def repair(
    run_id: UUID, invariant: str, is_broken: Callable[[], bool], mend: Callable[[Run], str], actor: Actor = SYSTEM
) -> bool:
    """Let `mend` act on the locked run, if it still is as it was found, and write down what was done.

    A run that somebody else holds right now is left for the next look.
    """
    with transaction.atomic():
        rows = Run.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
        run = rows.filter(id=run_id).first()
        if run is None or not is_broken():
            return False
        done = mend(run)
        note(run_id, done, invariant, actor)
    transaction.on_commit(lambda: ring([run_id]))
    return True


def note(run_id: UUID, message: str, invariant: str, actor: Actor = SYSTEM) -> None:
    """In the log of the run, and in the audit. Nothing is written to the log of an ended run: its end stays last."""
    run = Run.objects.select_for_update(no_key=True, of=("self",)).filter(id=run_id).first()
    if run is None:
        return
    data = {"invariant": invariant}
    if not run.has_ended:
        line = {"level": "warning", "message": message, "data": data, "actor": actor.as_data()}
        append_events(run, [EventDraft(EventType.LOG_WRITE, line)])
    write_audit(actor, "run.repair", run, data | {"done": message})


def wake_up(run: Run) -> str:
    """A run that is idle, and that nothing would have woken."""
    wake(run.id)
    Run.objects.filter(id=run.id, status=RunStatus.QUEUED, due_at=None).update(due_at=clock.sql_now())
    return "Repaired: nothing would have woken this run; it is queued to look at what it waits for."


def requeue(run: Run) -> str:
    """A run that runs in nobody's hands; whoever may still think that it is theirs can write nothing."""
    Run.objects.filter(id=run.id).update(
        status=RunStatus.QUEUED, reason="", due_at=clock.sql_now(), lease_token=F("lease_token") + 1
    )
    return "Repaired: no worker had this running run; it is queued again."


def drop_lease(run: Run) -> str:
    Run.objects.filter(id=run.id).update(lease_worker=None, lease_token=F("lease_token") + 1)
    return "Repaired: a worker was named that does not drive this run; it is named no more."


def make_hook_due(run: Run) -> str:
    Run.objects.filter(id=run.id).update(end_hook=EndHook.DUE, due_at=None)
    return "Repaired: the end hook of this run had not been made due; it is now."
