from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from perdure.dashboard.catalogue import latest_jobs
from perdure.dashboard.fingerprints import general
from perdure.dashboard.paging import read_cursor
from perdure.dashboard.run_list.chips import read_chips
from perdure.dashboard.run_list.columns import COLUMNS
from perdure.dashboard.run_list.filters import SORTS, RunFilter
from perdure.dashboard.run_list.pages import PAGE_SIZE, Page, read_page, read_rows
from perdure.dashboard.run_list.saved_views import visible_views
from perdure.dashboard.run_list.search import Search
from perdure.dashboard.run_list.used import add_figures
from perdure.dashboard.run_list.words import active_filters, spans
from runs.jobs import visible_runs


@require_safe
@login_required
def show_runs(request: HttpRequest) -> HttpResponse:
    """The runs that the user may see and that fit the filters of the address."""
    wanted = RunFilter.of(request.GET)
    page = read_page(request.user, wanted, request.GET)
    add_figures(page.runs, wanted)
    first_page = not ({"before", "after"} & set(request.GET))
    context = _shown(request, wanted) | {
        "page": page,
        "active": active_filters(wanted, _cause(wanted, page)),
        "jobs": _job_names(wanted.job),
        "teams": _team_names(request.user, wanted.team),
        "own_teams": _team_names(request.user),
        "sorts": SORTS.items(),
        "all_columns": COLUMNS.items(),
        "views": visible_views(request.user).select_related("team"),
        "query": wanted.query(),
        "by_time": wanted.query(sort=""),
        "spans": spans(wanted) if page.is_refused else [],
        "first_page": first_page,
        "tells_news": first_page and wanted.sort == "",
    }
    return render(request, "dashboard/run_list/run_list.html", context)


@require_safe
@login_required
def show_rows(request: HttpRequest) -> HttpResponse:
    """Rows that a page holds, as they are now, with the chips and the number of runs that it does not hold yet.

    `?shown=<id>` for each, `?first=<id>` for the newest of a page that begins with the newest.
    """
    wanted, shown = RunFilter.of(request.GET), _ids(request.GET.getlist("shown"))
    held = visible_runs(request.user).filter(pk__in=shown)
    fits = set(wanted.narrow(held).values_list("pk", flat=True))
    first, news = read_cursor(request.GET, "first"), 0
    if first is not None:
        news = len(Search(request.user, wanted).page(first, newest_first=False, size=PAGE_SIZE).ids)
    rows = read_rows(request.user, shown)
    add_figures(rows, wanted)
    context = _shown(request, wanted) | {"runs": rows, "fits": fits, "news": news}
    return render(request, "dashboard/run_list/rows.html", context)


def _shown(request: HttpRequest, wanted: RunFilter) -> dict[str, Any]:
    """What a row and the chips need."""
    titles = [(name, COLUMNS[name]) for name in wanted.shows]
    show = dict.fromkeys(wanted.shows, True)
    return {"wanted": wanted, "chips": read_chips(request.user, wanted), "titles": titles, "show": show}


def _ids(texts: list[str]) -> list[UUID]:
    if len(texts) > 2 * PAGE_SIZE:
        raise BadRequest(f"More than {2 * PAGE_SIZE} rows are asked for. Load the page again.")
    try:
        return [UUID(text) for text in texts]
    except ValueError as exc:
        raise BadRequest("'shown' is not a run's id. Load the page again.") from exc


def _cause(wanted: RunFilter, page: Page) -> str:
    """The words of the error that is filtered by: the address has only letters of it."""
    return general(page.runs[0].error) if wanted.fingerprint and page.runs else wanted.fingerprint


def _job_names(chosen: str) -> list[str]:
    return sorted({job.name for job in latest_jobs()} | ({chosen} if chosen else set()))


def _team_names(user: Any, chosen: str = "") -> list[str]:
    teams = set(user.groups.values_list("name", flat=True))
    return sorted(teams | ({chosen} if chosen else set()))
