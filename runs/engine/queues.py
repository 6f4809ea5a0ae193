"""Named queues: at most so many runs of one are driven at once, over all workers.

A run holds a place from its claim until it ends, waits or is handed back; one whose worker died still has its place.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from runs import clock
from runs.conf import get_settings
from runs.definitions import registry
from runs.engine.keys import try_lock
from runs.models import Queue, Run, RunStatus, Worker


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for a queue; `concurrency` None is no limit."""

    concurrency: int | None = None
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue's rule, and how many runs of it somebody sees. `is_served`: a live worker takes runs of it."""

    name: str
    rule: Rule
    is_served: bool
    runs: dict[str, int]


def rules() -> dict[str, Rule]:
    """By name: what operators said, and for queues without a word of theirs what the settings say."""
    found = {name: Rule(limit) for name, limit in get_settings().queue_limits.items()}
    rows = Queue.objects.values_list("name", "concurrency", "is_paused")
    return found | {name: Rule(concurrency, is_paused) for name, concurrency, is_paused in rows}


def served() -> Q:
    """Runs of the queues that this process serves."""
    wanted = get_settings().queues
    return Q(queue__in=wanted) if wanted else Q()


def moving(rules: dict[str, Rule]) -> Q:
    """Runs of queues that are not paused."""
    return ~Q(queue__in=[name for name, rule in rules.items() if rule.is_paused])


def with_room(due: QuerySet[Run], rules: dict[str, Rule], most: int) -> QuerySet[Run]:
    """Of these runs those whose queue has room for them, the first of each queue, `most` of one.

    On PostgreSQL, inside the claim's transaction: a limited queue is counted under its lock, and left out while
    another worker has that, so that nobody waits and no queue holds up another. Nor does a run whose row somebody
    else has locked hold up its queue.
    """
    limits = _limits(rules)
    if not limits:
        return due
    free = ~Q(queue__in=list(limits))
    for name in _wanted(due, limits):
        if try_lock("queue", name) and (room := limits[name] - _driven([name]).get(name, 0)) > 0:
            first = due.filter(queue=name).select_for_update(skip_locked=True, no_key=True, of=("self",))
            free |= Q(pk__in=list(first.values_list("pk", flat=True)[: min(room, most)]))
    return due.filter(free)


def full() -> list[str]:
    """Limited queues that have no room, as it seems from here: none of their runs can be taken now."""
    limits = _limits(rules())
    driven = _driven(limits) if limits else {}
    return [name for name, limit in limits.items() if driven.get(name, 0) >= limit]


def _limits(rules: dict[str, Rule]) -> dict[str, int]:
    return {name: rule.concurrency for name, rule in rules.items() if rule.concurrency is not None}


def _wanted(due: QuerySet[Run], limits: dict[str, int]) -> list[str]:
    """Limited queues that seem to have room and a run that is due: the line of a full one is not read."""
    driven = _driven(limits)
    open_now = [name for name, limit in limits.items() if driven.get(name, 0) < limit]
    if not open_now:
        return []
    return sorted(due.filter(queue__in=open_now).order_by().values_list("queue", flat=True).distinct())


def _driven(names: Iterable[str]) -> dict[str, int]:
    rows = Run.objects.filter(status=RunStatus.RUNNING, queue__in=names).order_by().values_list("queue")
    return dict(rows.annotate(number=Count("pk")))


def overview(visible: QuerySet[Run]) -> list[QueueState]:
    """Every queue that is known, with the runs of `visible` that have not ended; a name only theirs is not shown."""
    return states(_counts(visible))


def states(counts: Mapping[str, dict[str, int]]) -> list[QueueState]:
    """Every queue that is known, or counted: `{queue: {status: runs}}`."""
    known = rules()
    of_jobs = {job.queue for job in registry.all()}
    serving = list(Worker.objects.filter(expires_at__gt=clock.sql_now()).values_list("queues", flat=True))
    return [
        QueueState(
            name, known.get(name, Rule()), any(not queues or name in queues for queues in serving), counts.get(name, {})
        )
        for name in sorted({"default", *known, *of_jobs, *counts})
    ]


_ALIVE = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.WAITING, RunStatus.PAUSED)


def _counts(visible: QuerySet[Run]) -> dict[str, dict[str, int]]:
    rows = visible.filter(status__in=_ALIVE).order_by().values_list("queue", "status")
    counts: dict[str, dict[str, int]] = {}
    for name, status, number in rows.annotate(number=Count("pk")):
        counts.setdefault(name, {})[status] = number
    return counts
