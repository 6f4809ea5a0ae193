from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from perdure.dashboard.catalogue import latest_jobs
from runs.jobs import visible_runs
from runs.models import RunStatus

UNDER_WAY = (RunStatus.RUNNING, RunStatus.WAITING, RunStatus.QUEUED, RunStatus.PAUSED)


@require_safe
@login_required
def show_home(request: HttpRequest) -> HttpResponse:
    """What is going on, what failed last, what can be started."""
    runs = visible_runs(request.user).select_related("owner", "team")
    return render(
        request,
        "dashboard/home.html",
        {
            "under_way": runs.filter(status__in=UNDER_WAY).order_by("-id")[:8],
            "failed": runs.filter(status=RunStatus.FAILED).order_by("-id")[:5],
            "finished": runs.filter(status=RunStatus.COMPLETED).order_by("-id")[:5],
            "jobs": latest_jobs(),
        },
    )
