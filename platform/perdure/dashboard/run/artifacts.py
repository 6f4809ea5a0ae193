"""The Files tab, and one file by itself."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from perdure.dashboard.access import get_run_or_404
from perdure.dashboard.paging import read_text
from perdure.dashboard.run.artifact_card import read_artifact, read_artifacts
from perdure.dashboard.run.frame import read_frame, show_tab
from runs.errors import ArtifactNotFound


@require_safe
@login_required
@never_cache
def show_files(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """What the run has saved, each name with its newest version."""
    frame = read_frame(request, run_id, "files")
    return show_tab(request, frame, "dashboard/run/files.html", artifacts=read_artifacts(frame.run))


@require_safe
@login_required
@never_cache
def show_artifact(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """One file that a run has saved, `?name=` and `?version=`, as text or Markdown."""
    run = get_run_or_404(request.user, run_id)
    version = request.GET.get("version")
    if version is not None and not (version.isascii() and version.isdecimal() and len(version) < 10):
        raise BadRequest("'version' is not the number of a version. Give a number from 1, or leave it out.")
    try:
        shown = read_artifact(run, read_text(request.GET, "name"), None if version is None else int(version))
    except ArtifactNotFound as exc:
        raise Http404(str(exc)) from exc
    return render(request, "dashboard/run/artifact.html", {"run": run, "shown": shown})
