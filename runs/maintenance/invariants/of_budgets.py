"""What must hold of budgets: the sums that each run's transitions add up are those of its attempts."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from uuid import UUID

from runs.engine.store.spent import NOTHING, Spent, spent_of
from runs.events.types import EventType
from runs.maintenance.invariants.registry import Ids, Rows, among
from runs.models import Attempt, Event, Run, Spending

_KINDS = ("run", "stream", "transaction")
_AT_ONCE = 200

Sums = dict[UUID, tuple[int, ...]]


def spent_otherwise(ids: Ids) -> Rows:
    """Of runs with their whole history: `(run, what the row says, what the attempts say)`.

    More than one statement, so the row is read before and after: it only grows, and with the attempts.
    """
    rows = Spending.objects.filter(among(ids, "run_id")).order_by("run_id")
    numbers = rows.values_list("run_id", "tokens", "cost", "steps").iterator(chunk_size=_AT_ONCE)
    while some := list(islice(numbers, _AT_ONCE)):
        yield from _differences({run_id: tuple(sums) for run_id, *sums in some})


def _differences(before: Sums) -> Iterator[tuple[object, ...]]:
    whole = set(Run.objects.filter(id__in=list(before), first_sequence=1).values_list("id", flat=True))
    told = recount(whole)
    odd = {run_id: sums for run_id, sums in before.items() if run_id in whole and sums != tuple(told[run_id])}
    for run_id, *sums in Spending.objects.filter(run_id__in=list(odd)).values_list("run_id", "tokens", "cost", "steps"):
        if tuple(sums) == odd[run_id]:
            yield run_id, "spent", *sums, "attempts", *told[run_id]


def recount(runs: set[UUID]) -> dict[UUID, Spent]:
    """What the attempts of these runs have used, and how many of their steps began."""
    found = dict.fromkeys(runs, NOTHING)
    used = Attempt.objects.filter(run__in=runs, usage__isnull=False).values_list("run_id", "usage")
    for run_id, usage in used.iterator(chunk_size=1000):
        found[run_id] = found[run_id].plus(spent_of(usage))
    starts = Event.objects.filter(run__in=runs, type=EventType.STEP_START.value, attempt=1)
    steps = Counter(starts.filter(data__kind__in=_KINDS).values_list("run_id", flat=True))
    return {run_id: spent._replace(steps=steps[run_id]) for run_id, spent in found.items()}


def count_again(run: Run) -> str:
    spent = recount({run.id})[run.id]
    Spending.objects.filter(run_id=run.id).update(tokens=spent.tokens, cost=spent.cost, steps=spent.steps)
    return "Repaired: what this run had spent of its budget was counted again from its attempts."
