"""Two runs side by side, and the page where the second one is chosen."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from perdure.dashboard.access import get_run_or_404
from perdure.dashboard.compare.choosing import read_candidates, read_id
from perdure.dashboard.compare.comparison import ROWS_SHOWN, Comparison, Row, compare
from perdure.dashboard.compare.step_pair import read_step_pair, text_pair
from perdure.dashboard.paging import read_text
from perdure.dashboard.run.titles import shown_input
from runs.jobs import readable, redact, visible_runs
from runs.models import Run


@require_safe
@login_required
@never_cache
def choose_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Which run to lay beside this one; `?other=` an id or an address goes there."""
    run = get_run_or_404(request.user, run_id)
    wanted = read_text(request.GET, "other")
    other = read_id(wanted) if wanted else None
    if other is not None and other != run.pk and visible_runs(request.user).filter(pk=other).exists():
        return redirect("dashboard:run-compare", run.pk, other)
    if wanted:
        messages.error(request, "There is no such other run. Paste the id or the address of a run's page.")
    context = {"run": run, "candidates": read_candidates(request.user, run), "wanted": wanted}
    return render(request, "dashboard/compare/choose.html", context)


@require_safe
@login_required
@never_cache
def compare_runs(request: HttpRequest, run_id: UUID, other_id: UUID) -> HttpResponse:
    """Both runs by their steps. `?step=` opens one, alone with `&part`; `?show=differences` leaves the same out.

    Raises Http404 unless the reader may see both runs.
    """
    left, right = get_run_or_404(request.user, run_id), get_run_or_404(request.user, other_id)
    if left.pk == right.pk:
        return redirect("dashboard:run-compare-choose", left.pk)
    name = read_text(request.GET, "step")
    pair = read_step_pair(left, right, name) if name else None
    if name and pair is None:
        raise Http404("Neither run has such a step. Choose one of the comparison's rows.")
    if pair is not None and "part" in request.GET:
        return render(request, "dashboard/compare/_step_pair.html", {"pair": pair, "left": left, "right": right})
    found = compare(left, right)
    page = _Page.of(request, found)
    first = found.first
    context = {
        "left": left, "right": right, "found": found, "page": page, "pair": pair,
        "first_pair": read_step_pair(left, right, first.name) if first and first in page.rows and not pair else None,
        "input": text_pair("input", _input(left), _input(right)),
    }  # fmt: skip
    return render(request, "dashboard/compare/compare.html", context)


class _Page:
    """A page of the rows that are wanted."""

    def __init__(self, rows: list[Row], number: int, only_differences: bool) -> None:
        self.count = len(rows)
        self.last = max(1, -(-len(rows) // ROWS_SHOWN))
        self.number = min(number, self.last)
        self.rows = rows[(self.number - 1) * ROWS_SHOWN : self.number * ROWS_SHOWN]
        self.only_differences = only_differences

    @classmethod
    def of(cls, request: HttpRequest, found: Comparison) -> "_Page":
        text = read_text(request.GET, "page")
        number = int(text) if text.isdecimal() and len(text) < 7 else 1
        only = read_text(request.GET, "show") == "differences"
        return cls(found.differing if only else found.rows, max(1, number), only)

    @property
    def later(self) -> int | None:
        return self.number + 1 if self.number < self.last else None

    @property
    def earlier(self) -> int | None:
        return self.number - 1 if self.number > 1 else None


def _input(run: Run) -> str:
    return readable(shown_input(run, redact(run.input, run.secrets.get("input", []))))
