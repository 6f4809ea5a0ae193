"""The Timeline tab: a run's waterfall, as a chart or as a table."""

import re
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from perdure.dashboard.access import get_run_or_404
from perdure.dashboard.paging import read_text
from perdure.dashboard.run.drawer import read_drawer
from perdure.dashboard.run.frame import read_frame, show_tab
from perdure.dashboard.run.timeline.arrange import Lane, arrange
from perdure.dashboard.run.timeline.drawing import EMPTY_ROW, Chart, Window, as_rows, segments_of, words_of
from perdure.dashboard.run.timeline.parts import PartKind
from perdure.dashboard.run.timeline.read import read_rows
from perdure.dashboard.run.timeline.scale import WIDTH, scale_of
from runs import clock

PAGE = 100
"""Lanes that are painted first; the page's script shows the others as they come into sight."""


@require_safe
@login_required
@never_cache
def show_timeline(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """`?view=table`, `?fold=no`, `?zoom=<left>-<right>` (of 1000), `?page=`; `?step=` opens a step beside it."""
    frame = read_frame(request, run_id, "timeline")
    arranged = arrange(read_rows(request.user, frame.run), clock.now())
    query = _Query(request)
    chart = Chart(arranged, scale_of(arranged, query.fold), query.window)
    page = Paginator(chart.lanes, PAGE).get_page(query.page)
    drawer = read_drawer(request, frame.run)
    context = {
        "query": query, "chart": chart, "page": page, "drawer": drawer, "empty_row": EMPTY_ROW, "parts": list(PartKind),
        "rows": [chart.row(lane) for lane in page] if not query.table else [],
        "lines": _lines(page) if query.table else [],
        "rows_href": reverse("dashboard:run-timeline-rows", args=[run_id]),
    }  # fmt: skip
    return show_tab(request, frame, "dashboard/run/timeline/timeline.html", **context)


@require_safe
@login_required
@never_cache
def read_lanes(request: HttpRequest, run_id: UUID) -> JsonResponse:
    """All lanes with both scales: `{"sequence", "end", "folded", "plain", "lanes"}`, times in milliseconds."""
    run = get_run_or_404(request.user, run_id)
    arranged = arrange(read_rows(request.user, run), clock.now())
    return JsonResponse({
        "sequence": run.last_sequence, "end": arranged.end, "lanes": as_rows(arranged),
        "folded": segments_of(scale_of(arranged)), "plain": segments_of(scale_of(arranged, fold=False)),
    })  # fmt: skip


class _Query:
    """What the address asks for. Raises BadRequest for a zoom that is none."""

    def __init__(self, request: HttpRequest) -> None:
        self.table = read_text(request.GET, "view") == "table"
        self.fold = read_text(request.GET, "fold") != "no"
        self.page = read_text(request.GET, "page") or "1"
        self.window = _window(read_text(request.GET, "zoom"))

    def href(self, **changes: str) -> str:
        """The address with some of its parts changed; empty ones are left out. The page begins anew."""
        zoom = "" if self.window.is_whole else self.window.address
        parts = {"view": "table" if self.table else "", "fold": "" if self.fold else "no", "zoom": zoom} | changes
        return "?" + "&".join(f"{name}={value}" for name, value in parts.items() if value)

    @property
    def chart_href(self) -> str:
        return self.href(view="")

    @property
    def table_href(self) -> str:
        return self.href(view="table")

    @property
    def fold_href(self) -> str:
        return self.href(fold="no" if self.fold else "", zoom="")

    @property
    def in_href(self) -> str:
        return self.href(zoom=self.window.zoomed(0.5).address)

    @property
    def out_href(self) -> str:
        wider = self.window.zoomed(2)
        return self.href(zoom="" if wider.is_whole else wider.address)

    @property
    def whole_href(self) -> str:
        return self.href(zoom="")

    @property
    def page_href(self) -> str:
        return self.href() + ("&" if self.href() != "?" else "") + "page="


def _window(text: str) -> Window:
    if not text:
        return Window()
    found = re.fullmatch(r"(\d{1,4}(?:\.\d{1,3})?)-(\d{1,4}(?:\.\d{1,3})?)", text, re.ASCII)
    left, right = (float(found[1]), float(found[2])) if found else (1.0, 0.0)
    if not left < right <= WIDTH:
        raise BadRequest("'zoom' is not two places from 0 to 1000, as 250-500. Use the buttons above the timeline.")
    return Window(left, right)


def _lines(page: "Page[Lane]") -> list[dict[str, Any]]:
    """Rows of the table, which says what the chart draws."""
    return [
        {"lane": lane, "spent": [(kind, lane.spent(kind)) for kind in PartKind],
         "tries": [words_of(part) for part in lane.parts if part.attempt]}
        for lane in page
    ]  # fmt: skip
