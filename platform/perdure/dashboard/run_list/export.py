"""The list as a file: every run that fits, by time, read a slice at a time while it is sent.

An order by a figure is left to who opens the file: of the runs that have no such figure nothing would be in it.
"""

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from perdure.dashboard.run_list.filters import RunFilter
from perdure.dashboard.run_list.search import Search, Slice
from perdure.dashboard.run_list.used import figures_of
from perdure.dashboard.usage.figures import Figures
from runs import clock
from runs.jobs import visible_runs
from runs.models import Run

FIELDS = (
    "id", "job", "job_version", "status", "reason", "owner", "team", "labels", "queue", "priority", "attempt",
    "progress", "error_type", "error_message", "created_at", "run_at", "started_at", "finished_at",
    "input_tokens", "output_tokens", "cost",
)  # fmt: skip
AT_ONCE = 500
"""Runs that are read at once."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A table program takes a cell that begins with one of these for something to compute, or to fetch."""


@require_safe
@login_required
def export_runs(request: HttpRequest) -> HttpResponseBase:
    """`?format=csv` or `json`, with the filters of the list. Without inputs and outputs: they may hold secrets."""
    shapes: dict[str, tuple[str, Callable[[Iterator[dict[str, Any]], bool], str], str]] = {
        "csv": ("text/csv; charset=utf-8", _as_csv, ""),
        "json": ("application/json", _as_json, "]\n"),
    }
    kind = request.GET.get("format", "csv")
    if kind not in shapes:
        raise BadRequest(f"There is no export as {kind[:20]!r}. Use csv or json.")
    media_type, write, end = shapes[kind]
    search = Search(request.user, RunFilter.of(request.GET))
    answer = StreamingHttpResponse(_parts(search, write, end), content_type=media_type)
    name = f"runs-{clock.now():%Y-%m-%d-%H%M}.{kind}"
    answer["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    answer["Cache-Control"] = "no-store"
    return answer


async def _parts(
    search: Search, write: Callable[[Iterator[dict[str, Any]], bool], str], end: str
) -> AsyncIterator[str]:
    """Each slice is read in a thread of the request, and only when the one before it was taken."""
    newest_first = search.wanted.sort != "oldest"
    slices = search.slices(None, newest_first, first=AT_ONCE, most=AT_ONCE)
    is_first = True
    while (one := await sync_to_async(lambda: next(slices, None))()) is not None:
        text = await sync_to_async(_write)(search, one, newest_first, write, is_first)
        is_first = is_first and not text
        if text:
            yield text
    yield (write(iter(()), True) if is_first else "") + end


def _write(search: Search, one: Slice, newest_first: bool, write: Callable[..., str], is_first: bool) -> str:
    rows = list(_rows(search.user, search.matching(one, newest_first), newest_first))
    return write(iter(rows), is_first) if rows else ""


def _rows(user: Any, ids: list[UUID], newest_first: bool) -> Iterator[dict[str, Any]]:
    runs = visible_runs(user).filter(pk__in=ids).select_related("owner", "team")
    used = figures_of(ids)
    for run in runs.defer("input", "output", "notes").order_by("-id" if newest_first else "id"):
        yield _row(run, used.get(run.pk, Figures()))


def _row(run: Run, used: Figures) -> dict[str, Any]:
    error, own = run.error or {}, {name: getattr(run, name) for name in FIELDS if hasattr(run, name)}
    times = {name: _time(own[name]) for name in ("created_at", "run_at", "started_at", "finished_at")}
    return (
        own
        | times
        | {
            "id": str(run.pk),
            "owner": run.owner.get_username() if run.owner else None,
            "team": run.team.name if run.team else None,
            "error_type": error.get("type"),
            "error_message": error.get("message"),
            "input_tokens": used.input_tokens,
            "output_tokens": used.output_tokens,
            "cost": used.cost,
        }
    )


def _time(at: Any) -> str | None:
    return None if at is None else str(at.isoformat()).replace("+00:00", "Z")


def _as_json(rows: Iterator[dict[str, Any]], is_first: bool) -> str:
    lines = ",\n".join(json.dumps({name: row[name] for name in FIELDS}, ensure_ascii=False) for row in rows)
    return ("[\n" if is_first else ",\n") + lines


def _as_csv(rows: Iterator[dict[str, Any]], is_first: bool) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    if is_first:
        writer.writerow(FIELDS)
    writer.writerows([_cell(row[name]) for name in FIELDS] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    """A number stays one; what a person or a model wrote is never the beginning of a formula."""
    if value is None or isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(_FORMULA) else text
