from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from perdure.dashboard.workers.fleet import read_fleet


@require_safe
@login_required
def show_workers(request: HttpRequest) -> HttpResponse:
    """Who does the work, how much, and what nobody can do."""
    return render(request, "dashboard/workers/workers.html", {"fleet": read_fleet(request.user)})
