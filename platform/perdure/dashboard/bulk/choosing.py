"""Which runs an order is about."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import QueryDict

from perdure.dashboard.bulk.order import Action, BulkOrder
from perdure.dashboard.run_list.filters import RunFilter
from perdure.dashboard.run_list.search import Search

AT_ONCE = 500
"""Ids that one step of the job records."""


def search_for(user: Any, action: Action, query: str) -> Search | None:
    """The search for the runs of a filter that the action is for; None if there can be none.

    Raises BadRequest for a query that the list of runs would refuse.
    """
    wanted = RunFilter.of(QueryDict(query))
    statuses = tuple(one for one in action.statuses if not wanted.statuses or one in wanted.statuses)
    return Search(user, replace(wanted, statuses=statuses)) if statuses else None


def choose(user: Any, order: BulkOrder, behind: UUID | None) -> list[UUID]:
    """The next ids in order, the newest first, behind the last one that was chosen; none: that was all."""
    if order.query is None:
        chosen = sorted(set(order.runs), reverse=True)
        return [one for one in chosen if behind is None or one < behind][:AT_ONCE]
    if behind is None and order.newest is not None:
        behind = UUID(int=min(order.newest.int + 1, 2**128 - 1))
    found: list[UUID] = []
    for ids in _matching(search_for(user, order.action, order.query), behind):
        found += ids
        if len(found) >= AT_ONCE:
            break
    return found[:AT_ONCE]


def count(user: Any, order: BulkOrder) -> int | None:
    """How many it is about; None where only looking at each of them would tell."""
    if order.query is None:
        return len(set(order.runs))
    search = search_for(user, order.action, order.query)
    if search is None:
        return 0
    if search.is_slow:
        return None
    runs = search.runs if order.newest is None else search.runs.filter(id__lte=order.newest)
    return runs.count()


def _matching(search: Search | None, behind: UUID | None) -> Iterator[list[UUID]]:
    if search is not None:
        for one in search.slices(behind, newest_first=True, first=AT_ONCE, most=4 * AT_ONCE):
            yield search.matching(one)
