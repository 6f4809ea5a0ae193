"""Cursor pages over runs: their ids grow with time, so an id is the cursor."""

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import QueryDict

from runs.models import Run

PAGE_SIZE = 50


@dataclass(frozen=True)
class Page:
    """Runs, newest first, and the query strings of the pages beside this one (None where there is none)."""

    runs: list[Run]
    newer: str | None
    older: str | None


def read_page(runs: QuerySet[Run], query: QueryDict, size: int = PAGE_SIZE) -> Page:
    """The page that `?before=<id>` or `?after=<id>` asks for. Raises BadRequest for a cursor that is no run id."""
    before, after = _cursor(query, "before"), _cursor(query, "after")
    if after is not None:
        found = list(reversed(runs.filter(id__gt=after).order_by("id")[: size + 1]))
        more_newer, rows, more_older = len(found) > size, found[-size:], True
    else:
        found = list((runs.filter(id__lt=before) if before else runs).order_by("-id")[: size + 1])
        more_newer, rows, more_older = before is not None, found[:size], len(found) > size
    return Page(
        runs=rows,
        newer=_with(query, "after", rows[0]) if rows and more_newer else None,
        older=_with(query, "before", rows[-1]) if rows and more_older else None,
    )


def read_text(query: QueryDict, name: str) -> str:
    """A text of the query. Raises BadRequest for one that no database takes."""
    value: str = query.get(name, "")
    if "\0" in value:
        raise BadRequest(f"{name!r} holds a null character. Leave it out.")
    return value


def _cursor(query: QueryDict, name: str) -> UUID | None:
    value = query.get(name)
    if not value:
        return None
    try:
        return UUID(value)
    except ValueError as exc:
        raise BadRequest(f"{name!r} is not a run's id. Open the list of runs and page on from there.") from exc


def _with(query: QueryDict, name: str, run: Run) -> str:
    kept = [(key, value) for key, values in query.lists() if key not in ("before", "after") for value in values]
    return urlencode([*kept, (name, str(run.id))])
