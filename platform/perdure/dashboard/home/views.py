from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from perdure.dashboard.home.page import read_home


@require_safe
@login_required
def show_home(request: HttpRequest) -> HttpResponse:
    """What needs the reader, what is wrong, what is going on, and what can be done next."""
    return render(request, "dashboard/home/home.html", {"home": read_home(request.user)})
