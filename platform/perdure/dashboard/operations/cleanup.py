"""The page that removes ended runs: it shows what goes before anything does. For staff that may delete runs."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from runs import jobs
from runs.errors import RunsError
from runs.maintenance.asking import Asked, sentence


@require_http_methods(["GET", "POST"])
@login_required
def clean_up(request: HttpRequest) -> HttpResponse:
    """What the retention makes due, at first; POST shows it for an age or a job, or removes what was shown."""
    if not (request.user.is_staff and request.user.has_perm("runs.delete_run")):
        raise PermissionDenied("Clean-up is for staff that may delete runs. Ask an administrator.")
    asked, shown = Asked.of(request.POST.dict()), None
    try:
        shown = asked.carry_out(jobs.Actor.of(request.user, address=request.META.get("REMOTE_ADDR", "")))
    except RunsError as exc:
        messages.error(request, str(exc))
    if shown is not None and not shown.dry_run:
        messages.success(request, sentence(shown))
        return redirect("dashboard:cleanup")
    names = sorted({found.name for found in jobs.all_jobs()})
    return render(request, "dashboard/operations/cleanup.html", {"shown": shown, "asked": asked, "names": names})
