"""How many runs of each status there are, as filters to choose."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count

from perdure.dashboard.run_list.drivers import MANY
from perdure.dashboard.run_list.filters import RunFilter
from perdure.dashboard.run_list.search import LONGEST_SECONDS, Search, Slice
from runs import clock
from runs.models import Run, RunStatus

FIRST, MOST = 2_000, 4_000
"""Rows in which runs are counted at first, and at once after that: each look is a fraction of the time there is."""


@dataclass(frozen=True)
class Chip:
    """A status as a filter: its count (`least`: there may be more), and the query string that shows only it."""

    status: str
    count: int
    least: bool
    query: str
    active: bool


def read_chips(user: Any, wanted: RunFilter) -> list[Chip]:
    """One chip for all, and one for each status; counted with every other filter, over a bounded number of rows."""
    every = replace(wanted, statuses=())
    counts, least = _count_all() if user.is_superuser and every.is_empty else _count(Search(user, every))
    chips = [Chip("", sum(counts.values()), bool(least), every.query(), not wanted.statuses)]
    for status in RunStatus.values:
        query = every.query(statuses=(status,))
        chips.append(Chip(status, counts[status], status in least, query, wanted.statuses == (status,)))
    return chips


def _count_all() -> tuple[Counter[str], set[str]]:
    """Along the index of each status, so that the few that failed are counted among the many that completed."""
    counts = {status: Run.objects.filter(status=status).order_by()[: MANY + 1].count() for status in RunStatus.values}
    least = {status for status, count in counts.items() if count > MANY}
    return Counter({status: min(count, MANY) for status, count in counts.items()}), least


def _count(search: Search) -> tuple[Counter[str], set[str]]:
    """In one look at as many rows as a request may, or in some where each row costs more."""
    counts: Counter[str] = Counter()
    looked_at, ends_at = 0, clock.monotonic() + LONGEST_SECONDS / 2
    first = FIRST // 4 if search.is_slow else FIRST
    for one in search.slices(None, newest_first=True, first=first, most=MOST):
        counts.update(_count_in(search, one))
        looked_at += one.size
        if one.last is not None and (looked_at >= MANY or clock.monotonic() > ends_at):
            return counts, set(RunStatus.values)
    return counts, set()


def _count_in(search: Search, one: Slice) -> dict[str, int]:
    if search.wanted.fingerprint:
        return {RunStatus.FAILED.value: len(search.matching(one))}
    rows = search.runs.filter(one.where).order_by().values_list("status")
    return dict(rows.annotate(count=Count("pk")))
