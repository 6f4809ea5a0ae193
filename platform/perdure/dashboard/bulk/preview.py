"""What a bulk change would be about, before anybody agrees to it: bounded, as every look of a page is."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import QueryDict
from uuid_utils.compat import uuid7

from perdure.dashboard.bulk.choosing import search_for
from perdure.dashboard.bulk.order import LONGEST_QUERY, MOST_CHOSEN, Action, BulkOrder
from perdure.dashboard.run_list.filters import RunFilter
from perdure.dashboard.run_list.words import ActiveFilter, active_filters
from runs.jobs import visible_runs

MANY = 1_000
"""So far the runs that fit a filter are counted for a page; the job counts them all."""


@dataclass(frozen=True)
class Preview:
    """The order as it would be started. `fitting` runs are for it (`least`: or more), `others` by status are not."""

    order: BulkOrder
    fitting: int
    least: bool = False
    others: tuple[tuple[str, int], ...] = ()
    missing: int = 0
    asked: tuple[ActiveFilter, ...] = ()
    statuses: tuple[str, ...] = ()


def read_order(form: QueryDict, user: Any) -> BulkOrder:
    """The order of the form on the list, or of the page that asked whether it is meant. Raises BadRequest."""
    action = _action(form.get("action", ""))
    reason = form.get("reason", "").replace("\0", "").strip()[:200]
    if form.get("all"):
        query = _fixed(RunFilter.of(QueryDict(form.get("query", ""))))
        if len(query) > LONGEST_QUERY:
            raise BadRequest("The filters are too long for a bulk change. Go back and leave some out.")
        return BulkOrder(action=action, query=query, newest=_id(form.get("newest", "")) or uuid7(), reason=reason)
    ids = {found for text in form.getlist("run") if (found := _id(text))}
    if not ids:
        raise BadRequest("No run is chosen. Go back, choose runs in the list, and try again.")
    if len(ids) > MOST_CHOSEN:
        raise BadRequest(f"More than {MOST_CHOSEN} runs are chosen one by one. Choose all that match a filter instead.")
    # What somebody may not see is left out here as if it did not exist, and refused by the job if it is named to it.
    seen = set(visible_runs(user).filter(pk__in=ids).values_list("pk", flat=True))
    if not seen:
        raise BadRequest("None of the chosen runs is there any more. Go back to the list and choose again.")
    return BulkOrder(action=action, runs=sorted(seen, reverse=True), reason=reason)


def preview(user: Any, order: BulkOrder, named: int) -> Preview:
    """`named`: how many runs the form named, of which some may be gone."""
    if order.query is None:
        counts = Counter(visible_runs(user).filter(pk__in=order.runs).order_by().values_list("status", flat=True))
        others = tuple((status, number) for status, number in counts.items() if status not in order.action.statuses)
        fitting = sum(counts[status] for status in order.action.statuses)
        return Preview(order, fitting, others=others, missing=max(0, named - len(order.runs)))
    wanted = RunFilter.of(QueryDict(order.query))
    search = search_for(user, order.action, order.query)
    asked = tuple(active_filters(wanted))
    if search is None:
        return Preview(order, 0, asked=asked, statuses=wanted.statuses)
    found = search.page(order.newest, newest_first=True, size=MANY)
    least = found.stopped_at is not None or len(found.ids) > MANY
    return Preview(order, min(len(found.ids), MANY), least, asked=asked, statuses=wanted.statuses)


def _action(text: str) -> Action:
    try:
        return Action(text)
    except ValueError as exc:
        raise BadRequest(f"There is no bulk change {text[:40]!r}. Use one of: {', '.join(Action)}.") from exc


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _fixed(wanted: RunFilter) -> str:
    """The filter with moments in place of ages: what is shown and what is done must be about the same time."""
    since, until = wanted.span
    fixed_since, fixed_until = (at.isoformat() if at else "" for at in (since, until))
    return replace(wanted, since=fixed_since, until=fixed_until, sort="").query()
