"""The page that shows every component, for whoever builds pages."""

from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from perdure.dashboard.styleguide import samples
from runs import clock


@require_GET
@login_required
def show_styleguide(request: HttpRequest) -> HttpResponse:
    """Every component once. Raises Http404 for whoever is not of the staff."""
    if not getattr(request.user, "is_staff", False):
        raise Http404("There is no such page. Go back to the home page.")
    now = clock.now()
    moments = [
        now - timedelta(seconds=3),
        now - timedelta(hours=5),
        now - timedelta(days=40),
        now + timedelta(minutes=12),
    ]
    return render(request, "dashboard/styleguide/styleguide.html", {"samples": samples, "moments": moments})
