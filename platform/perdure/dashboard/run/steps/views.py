"""The Steps tab, and one step by itself."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from perdure.dashboard.access import get_run_or_404
from perdure.dashboard.paging import read_text
from perdure.dashboard.run.drawer import read_drawer, read_step_detail
from perdure.dashboard.run.frame import read_frame, show_tab
from perdure.dashboard.run.rows import rfc3339, status_text, trouble_text
from perdure.dashboard.run.steps.finding import Wanted
from runs.models import Run, Step, StepStatus

PAGE = 100
"""Steps that are painted first; the page's script shows the others as they come into sight."""
_OVER = (StepStatus.COMPLETED, StepStatus.SKIPPED)
_FIELDS = ("name", "kind", "status", "attempts", "started_at", "finished_at", "error")


@require_safe
@login_required
@never_cache
def show_steps(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Steps in their order: `?q=`, `?status=` and `?retried=yes` choose, `?page=` pages, `?step=` opens one."""
    frame = read_frame(request, run_id, "steps")
    wanted = Wanted.of(request)
    steps = list(frame.run.steps.only("run", "name", "kind", "status", "attempts").order_by("id"))
    page = Paginator(wanted.find(steps), PAGE).get_page(read_text(request.GET, "page") or "1")
    address = wanted.address if wanted.address == "?" else f"{wanted.address}&"
    context = {
        "wanted": wanted, "page": page, "shown": _with_rest(frame.run, page), "chips": wanted.chips(steps),
        "total": len(steps), "done": sum(step.status in _OVER for step in steps),
        "step_address": f"{address}step=", "page_href": f"{address}page=", "drawer": read_drawer(request, frame.run),
        "rows_href": reverse("dashboard:run-steps-rows", args=[run_id]),
    }  # fmt: skip
    return show_tab(request, frame, "dashboard/run/steps.html", **context)


@require_safe
@login_required
@never_cache
def read_steps(request: HttpRequest, run_id: UUID) -> JsonResponse:
    """All steps as of `sequence` or later: `[name, kind, status, attempts, started, finished, trouble]`."""
    run = get_run_or_404(request.user, run_id)
    return JsonResponse({"sequence": run.last_sequence, "steps": _rows_of(run)})


@require_safe
@login_required
@never_cache
def show_step(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """One step with all that is recorded of it; only the inner part for the drawer."""
    run = get_run_or_404(request.user, run_id)
    detail = read_step_detail(request.user, run, read_text(request.GET, "name"))
    if detail is None:
        raise Http404("This run has no such step. Open the run and choose one of its steps.")
    template = "dashboard/run/_drawer_body.html" if "part" in request.GET else "dashboard/run/step.html"
    return render(request, template, {"run": run, "detail": detail})


def _with_rest(run: Run, page: "Page[Step]") -> list[Step]:
    """The page's steps with their times and errors: to find them among thousands their names were enough."""
    return list(run.steps.filter(pk__in=[step.pk for step in page]).defer("output").order_by("id"))


def _rows_of(run: Run) -> list[list[Any]]:
    return [
        [name, kind, status_text(status, kind), attempts, started and rfc3339(started), finished and rfc3339(finished),
         trouble_text(error)]
        for name, kind, status, attempts, started, finished, error in run.steps.order_by("id").values_list(*_FIELDS)
    ]  # fmt: skip
