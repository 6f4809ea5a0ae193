"""Why nobody has taken a queued run yet, as it seems from here: all is read without locks, for people to look at."""

from dataclasses import dataclass

from django.db.models import Q

from runs import clock
from runs.engine import keys, queues
from runs.models import Run, RunStatus, Worker


@dataclass(frozen=True, slots=True)
class Hold:
    """What may hold a due run back.

    `ahead`: runs of its concurrency key that go first, 0 where the key has room. `is_paused`: its queue is.
    `full_at`: the limit of its queue, where that is reached. `workers`: live ones at all; `takers`: those of them that
    have its version and serve its queue.
    """

    ahead: int
    is_paused: bool
    full_at: int | None
    workers: int
    takers: int


def why_queued(run: Run) -> Hold:
    """Four small queries; of a run that waits for no worker it says nothing of use."""
    rule = queues.rules().get(run.queue, queues.Rule())
    alive = list(Worker.objects.filter(expires_at__gt=clock.sql_now()).values_list("jobs", "queues"))
    takers = [1 for jobs, served in alive if [run.job, run.job_version] in jobs and (not served or run.queue in served)]
    return Hold(
        ahead=_ahead(run),
        is_paused=rule.is_paused,
        full_at=rule.concurrency if run.queue in queues.full() else None,
        workers=len(alive),
        takers=len(takers),
    )


def _ahead(run: Run) -> int:
    if run.concurrency_key is None or run.due_at is None or keys.is_holder(run):
        return 0
    earlier = Q(due_at__lt=run.due_at) | Q(due_at=run.due_at, id__lt=run.id)
    before = Q(priority__gt=run.priority) | (Q(priority=run.priority) & earlier)
    due = Q(status__in=[RunStatus.QUEUED, RunStatus.WAITING], due_at__lte=clock.sql_now())
    number = keys.holders_beside(run).count() + keys.waiters_beside(run).filter(due & before).count()
    return number if number >= run.concurrency_limit else 0
