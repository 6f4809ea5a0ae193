from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from perdure.dashboard.usage.export import csv_lines
from perdure.dashboard.usage.figures import RANGES, read_rows, read_usage
from perdure.dashboard.usage.today import read_today

MEASURES = ("tokens", "cost")


@require_safe
@login_required
def show_usage(request: HttpRequest) -> HttpResponse:
    """Tokens and money by day, job, model and team."""
    days, measure = _days(request), request.GET.get("by") or "tokens"
    if measure not in MEASURES:
        raise BadRequest("'by' is tokens or cost. Choose one on the page of usage.")
    context = {"usage": read_usage(request.user, days, measure), "today": read_today(request.user), "ranges": RANGES}
    return render(request, "dashboard/usage/usage.html", context)


@require_safe
@login_required
def export_usage(request: HttpRequest) -> HttpResponseBase:
    """The same numbers for a spreadsheet."""
    days = _days(request)
    name = f'attachment; filename="usage-{days}-days.csv"'
    lines = csv_lines(read_rows(request.user, days))
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})


def _days(request: HttpRequest) -> int:
    """Raises BadRequest for another range than the page offers."""
    wanted = request.GET.get("days") or str(RANGES[1])
    if wanted not in map(str, RANGES):
        raise BadRequest(f"'days' is one of {', '.join(map(str, RANGES))}. Choose one on the page of usage.")
    return int(wanted)
