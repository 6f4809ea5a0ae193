from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from perdure.dashboard.catalogue import latest_jobs
from perdure.dashboard.paging import read_page, read_text
from runs.jobs import visible_runs
from runs.models import Run, RunStatus


@dataclass(frozen=True)
class Chip:
    """A status as a filter: its count and the query string that shows only it (or everything again)."""

    status: str
    count: int
    query: str
    active: bool


@require_safe
@login_required
def show_runs(request: HttpRequest) -> HttpResponse:
    """The runs that the user may see, newest first; `?status=`, `?job=` and the cursors narrow them."""
    runs = visible_runs(request.user)
    job, status = read_text(request.GET, "job"), _status(request.GET)
    if job:
        runs = runs.filter(job=job)
    shown = runs.filter(status=status) if status else runs
    context = {
        "chips": _chips(runs, job, status),
        "page": read_page(shown.select_related("owner", "team"), request.GET),
        "jobs": _job_names(job),
        "job": job,
        "status": status,
        "filtered": bool(job or status),
        "first_page": not ({"before", "after"} & set(request.GET)),
    }
    return render(request, "dashboard/run_list.html", context)


def _status(query: QueryDict) -> str:
    status = query.get("status", "")
    if status and status not in RunStatus.values:
        raise BadRequest(f"There is no status {status[:40]!r}. Use one of: {', '.join(RunStatus.values)}.")
    return status


def _chips(runs: QuerySet[Run], job: str, active: str) -> list[Chip]:
    counts = dict(runs.order_by().values_list("status").annotate(Count("pk")))
    kept = {"job": job} if job else {}
    every = Chip("", sum(counts.values()), urlencode(kept), not active)
    return [every] + [
        Chip(status, counts.get(status, 0), urlencode(kept | {"status": status}), status == active)
        for status in RunStatus.values
    ]


def _job_names(chosen: str) -> list[str]:
    names = {job.name for job in latest_jobs()}
    return sorted(names | {chosen} if chosen else names)
