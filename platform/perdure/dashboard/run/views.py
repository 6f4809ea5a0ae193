"""The Overview tab: what the run does now, what it asks and what came of it."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from perdure.dashboard.flow.card import read_flow, tell_form
from perdure.dashboard.run.around import read_around
from perdure.dashboard.run.budget_card import read_budget
from perdure.dashboard.run.cancelling import read_cancelling
from perdure.dashboard.run.frame import read_frame, show_tab
from perdure.dashboard.run.page import read_run_page, under_way


@require_safe
@login_required
@never_cache
def show_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """One run; its script goes on from there, and reads it again with `?summary` after a change."""
    frame = read_frame(request, run_id, "overview")
    run = frame.run
    around = read_around(request.user, run)
    flow = read_flow(run)
    return show_tab(
        request, frame, "dashboard/run/overview.html",
        around=around, budget=read_budget(request.user, run), flow=flow, tell_form=tell_form(flow),
        page=read_run_page(run), cancelling=read_cancelling(run), now=under_way(frame.steps),
    )  # fmt: skip
