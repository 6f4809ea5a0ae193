"""What clean-up removes: short transactions over ended runs that nobody needs any more, the longest ended first."""

from collections import Counter
from itertools import accumulate
from typing import Literal

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum

from runs import clock
from runs.engine.store.artifacts import let_files_go
from runs.engine.store.budgets import keep_spent
from runs.engine.store.usage import count_usage_of
from runs.events.doorbell import ring
from runs.models import ENDED, Checkpoint, EndHook, Event, Run, RunStatus, Signal, State, Step

EVENTS_AT_ONCE = 5_000
"""Events that one transaction removes at most: some tens of milliseconds."""

What = Literal["runs", "trimmed", "events"]
Tally = Counter[tuple[str, What]]
"""How much was removed, by job: whole runs, runs that lost their history only, events of both."""

_held_events = F("last_sequence") - F("first_sequence") + 1


def remove_runs(due: Q, batch: int) -> Tally:
    """Delete up to `batch` runs with all that belongs to them, in one transaction; nothing removed: none are left.

    A run with more than EVENTS_AT_ONCE events loses that many of them first, and goes with a later call.
    """
    with transaction.atomic():
        # Not `no_key`: rows that name these runs must not appear before the delete.
        found = _some(_removable(due).select_for_update(skip_locked=True, of=("self",)), batch)
        if _is_too_long(found):
            return _remove_oldest_events(found[0])
        tally = _tally(found, "runs")
        keep_spent(found)
        count_usage_of([run.id for run in found])
        let_files_go([run.id for run in found])
        Run.objects.filter(id__in=[run.id for run in found]).delete()
        _tell_followers(found)
    return tally


def remove_histories(due: Q, batch: int) -> Tally:
    """Remove the events of up to `batch` runs, and what the steps of completed and cancelled ones recorded.

    `first_sequence` rises in the same transaction, so a follower who meets the hole finds its explanation. The runs
    keep their own input, output and error, and their artefacts. Nothing removed: none are left.
    """
    with transaction.atomic():
        found = _some(_trimmable(due).select_for_update(skip_locked=True, no_key=True, of=("self",)), batch)
        if _is_too_long(found):
            return _remove_oldest_events(found[0])
        tally = _tally(found, "trimmed")
        Event.objects.filter(run__in=[run.id for run in found]).delete()
        _remove_payloads([run for run in found if run.status != RunStatus.FAILED])
        Run.objects.filter(id__in=[run.id for run in found]).update(
            first_sequence=F("last_sequence") + 1, pruned_at=clock.now()
        )
        _tell_followers(found)
    return tally


def count_due(runs_due: Q, histories_due: Q) -> Tally:
    """What the two would remove now."""
    tally: Tally = Counter()
    going = _removable(runs_due)
    staying = _trimmable(histories_due).exclude(pk__in=going.values("pk"))
    whats: tuple[tuple[What, QuerySet[Run]], ...] = (("runs", going), ("trimmed", staying))
    for what, query in whats:
        rows = query.values_list("job").annotate(count=Count("pk"), held=Sum(_held_events)).order_by()
        for job, count, events in rows:
            tally[job, what] += count
            tally[job, "events"] += events
    return tally


def _unneeded() -> QuerySet[Run]:
    """Ended runs without an end hook to be called, a parent at work or a fork at work."""
    at_work = Run.objects.exclude(status__in=ENDED)
    return (
        # By time first, and by what it has not: an index on the status would be read whole and sorted for each batch.
        Run.objects.filter(finished_at__lt=clock.now())
        .exclude(status__in=[status for status in RunStatus if status not in ENDED])
        .exclude(end_hook=EndHook.DUE)
        .filter(~Exists(at_work.filter(id=OuterRef("parent_id"))), ~Exists(at_work.filter(forked_from=OuterRef("pk"))))
    )


def _trimmable(due: Q) -> QuerySet[Run]:
    return _unneeded().filter(due, pruned_at=None)


def _removable(due: Q) -> QuerySet[Run]:
    """Nor while a descendant is at work, which a cancelled parent may still have to cancel, nor under a failed parent
    that may be retried: it would start the child a second time."""
    at_work = Run.objects.exclude(status__in=ENDED)
    retriable = Run.objects.filter(status=RunStatus.FAILED, first_sequence=1)
    return _unneeded().filter(
        due,
        ~Exists(at_work.filter(parent=OuterRef("pk"))),
        ~Exists(at_work.filter(root=OuterRef("pk"))),
        ~Exists(retriable.filter(id=OuterRef("parent_id"))),
    )


def _some(query: QuerySet[Run], batch: int) -> list[Run]:
    """The runs of one transaction: up to `batch`, with EVENTS_AT_ONCE in all, and one in any case."""
    found = list(query.order_by("finished_at", "id")[:batch])
    totals = accumulate(run.last_sequence for run in found)
    return found[: max(1, sum(total <= EVENTS_AT_ONCE for total in totals))]


def _is_too_long(found: list[Run]) -> bool:
    return len(found) == 1 and _events_held(found[0]) > EVENTS_AT_ONCE


def _events_held(run: Run) -> int:
    return run.last_sequence - run.first_sequence + 1


def _remove_oldest_events(run: Run) -> Tally:
    first = run.first_sequence + EVENTS_AT_ONCE
    Event.objects.filter(run=run, sequence__lt=first).delete()
    Run.objects.filter(id=run.id).update(first_sequence=first)
    _tell_followers([run])
    return Counter({(run.job, "events"): EVENTS_AT_ONCE})


def _remove_payloads(runs: list[Run]) -> None:
    """What the steps recorded; a failed run keeps it as long as itself, for those who look into the failure."""
    ids = [run.id for run in runs]
    Step.objects.filter(run__in=ids).update(output=None, secrets=[])
    Signal.objects.filter(run__in=ids).update(payload=None, result=None, effect=None)
    Checkpoint.objects.filter(run__in=ids).delete()
    State.objects.filter(run__in=ids).delete()


def _tally(runs: list[Run], what: What) -> Tally:
    tally: Tally = Counter()
    for run in runs:
        tally[run.job, what] += 1
        tally[run.job, "events"] += _events_held(run)
    return tally


def _tell_followers(runs: list[Run]) -> None:
    ids = [run.id for run in runs]
    transaction.on_commit(lambda: ring(ids))
