"""The page of a month: what schedules started, and what they are to start."""

from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from perdure.dashboard.paging import read_text
from perdure.dashboard.schedules.calendar import Moment, Month, arrange
from perdure.dashboard.schedules.schedule_page import cards
from perdure.dashboard.schedules.schedule_runs import runs_of, schedule_of
from runs import clock, jobs
from runs.errors import RunsError
from runs.models import Schedule

MOST_SCHEDULES = 200
MOST_TIMES = 31 * 24 + 1
"""Of one schedule in a month: every hour is drawn, every minute is said in words."""
MOST_RUNS = 2000


@require_safe
@login_required
@never_cache
def show_calendar(request: HttpRequest) -> HttpResponse:
    """A month in a time zone: `?month=2026-11&zone=Europe/Berlin`; today's, in UTC, without."""
    zone_name = read_text(request.GET, "zone") or "UTC"
    zone = _zone(zone_name)
    today = clock.now().astimezone(zone).date()
    month = Month.of(read_text(request.GET, "month"), today)
    rows = list(jobs.visible_schedules(request.user).select_related("team").order_by("-id")[: MOST_SCHEDULES + 1])
    shown = rows[:MOST_SCHEDULES]
    start, end = month.start(zone), month.end(zone)
    due, frequent = _due(shown, start, end)
    ran, is_all = _ran(request.user, shown, start, end)
    context = {
        "month": month, "previous": month.moved(-1), "next": month.moved(1), "this": Month(today.year, today.month),
        "days": arrange(month, zone, [*ran, *due], today), "zone": zone_name, "zones": jobs.zones(),
        "frequent": cards(request.user, frequent), "is_all": is_all, "most_runs": MOST_RUNS,
        "has_schedules": bool(rows), "most_schedules": MOST_SCHEDULES if len(rows) > MOST_SCHEDULES else None,
    }  # fmt: skip
    return render(request, "dashboard/schedules/calendar.html", context)


def _zone(name: str) -> tzinfo:
    if name not in jobs.zones():
        raise BadRequest("'zone' is no time zone that is known here. Write it as in Europe/Berlin.")
    return UTC if name == "UTC" else ZoneInfo(name)


def _due(schedules: list[Schedule], start: datetime, end: datetime) -> tuple[list[Moment], list[Schedule]]:
    """What is to come, and the schedules that are due too often to be drawn."""
    moments: list[Moment] = []
    frequent: list[Schedule] = []
    for schedule in schedules:
        try:
            times = jobs.times_between(schedule, start, end, MOST_TIMES + 1)
        except RunsError:
            continue  # a zone that this host does not know: its own page says so once it was due
        if len(times) > MOST_TIMES:
            frequent.append(schedule)
        else:
            moments += [Moment(at, schedule) for at in times]
    return moments, frequent


def _ran(user: Any, schedules: list[Schedule], start: datetime, end: datetime) -> tuple[list[Moment], bool]:
    runs, is_all = runs_of(user, schedules)
    known = {str(schedule.pk): schedule for schedule in schedules}
    fields = ("id", "job", "status", "run_at", "idempotency_key", "concurrency_key")
    found = list(runs.filter(run_at__gte=start, run_at__lt=end).only(*fields).order_by("-id")[: MOST_RUNS + 1])
    of_runs = [(run, schedule_of(run, known)) for run in found[:MOST_RUNS]]
    moments = [Moment(run.run_at, of, run.pk, run.status) for run, of in of_runs if of is not None]
    return moments, is_all and len(found) <= MOST_RUNS
