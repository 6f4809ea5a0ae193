"""Cursor pages over runs: their ids grow with time, so an id is the cursor."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict

from perdure.dashboard.paging import read_cursor
from perdure.dashboard.run_list.filters import RunFilter
from perdure.dashboard.run_list.rankings import RankedSearch, TooMany
from perdure.dashboard.run_list.search import Found, Search
from runs.jobs import visible_runs
from runs.models import Run

PAGE_SIZE = 50


@dataclass(frozen=True)
class Stop:
    """Where a search ended before the list did, and how to go on. `at`: of when the last run was that it looked at,
    in a list by time."""

    at: datetime | None
    further: str


@dataclass(frozen=True)
class Page:
    """Runs in the order asked for, and the query strings of the pages beside this one (None where there is none).

    In an order by a figure `newer` is the page above. `is_refused`: too many fit to be put in that order.
    """

    runs: list[Run]
    newer: str | None
    older: str | None
    stop: Stop | None = None
    is_refused: bool = False


def read_page(user: Any, wanted: RunFilter, query: QueryDict, size: int = PAGE_SIZE) -> Page:
    """The page that `?before=<id>` or `?after=<id>` asks for. Raises BadRequest for a cursor that is no run id."""
    before, after = read_cursor(query, "before"), read_cursor(query, "after")
    oldest_first = wanted.sort == "oldest"
    upwards = after is not None or (oldest_first and before is None)
    try:
        search = RankedSearch(user, wanted) if wanted.ranked_by else Search(user, wanted)
        found = search.page(after if upwards else before, not upwards, size)
    except TooMany:
        return Page([], None, None, is_refused=True)
    more, came_from = len(found.ids) > size, after is not None or before is not None
    ids = found.ids[:size] if upwards == oldest_first else found.ids[:size][::-1]
    shown = sorted(read_rows(user, ids), key=lambda run: ids.index(run.pk))
    first, last = (found.ids[0], found.ids[:size][-1]) if found.ids else (None, None)
    behind, ahead = (_with(query, "after", last), _with(query, "before", first)) if upwards else (
        _with(query, "before", last), _with(query, "after", first))  # fmt: skip
    behind, ahead = behind if more else None, ahead if came_from else None
    newer, older = (behind, ahead) if upwards else (ahead, behind)
    return Page(shown, newer, older, _stop(found, query, upwards, wanted))


def read_rows(user: Any, ids: list[UUID]) -> list[Run]:
    """What a list shows of them. Outputs stay where they are: they may be large, and fifty of them are read."""
    runs = visible_runs(user).filter(id__in=ids).select_related("owner", "team").defer("output", "notes")
    return list(runs.order_by("-id"))


def _stop(found: Found, query: QueryDict, upwards: bool, wanted: RunFilter) -> Stop | None:
    if found.stopped_at is None:
        return None
    at = None if wanted.ranked_by else datetime.fromtimestamp((found.stopped_at.int >> 80) / 1000, UTC)
    return Stop(at, _with(query, "after" if upwards else "before", found.stopped_at) or "")


def _with(query: QueryDict, name: str, run_id: UUID | None) -> str | None:
    if run_id is None:
        return None
    kept = [(key, value) for key, values in query.lists() if key not in ("before", "after") for value in values]
    return urlencode([*kept, (name, str(run_id))])
