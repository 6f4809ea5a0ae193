"""The Tree tab."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from perdure.dashboard.run.family import read_tree
from perdure.dashboard.run.frame import read_frame, show_tab


@require_safe
@login_required
@never_cache
def show_tree(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The whole family of the run, as far as one may see it."""
    frame = read_frame(request, run_id, "tree")
    return show_tab(request, frame, "dashboard/run/tree.html", tree=read_tree(request.user, frame.run))
