"""What a person does with a preset: start a run of it, and delete it. It is made on the start page of its job."""

import re
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from perdure.dashboard.access import get_preset_or_404
from runs import jobs
from runs.errors import RunsError


@require_POST
@login_required
def start_preset(request: HttpRequest, preset_id: UUID) -> HttpResponse:
    """Start a run of it, and show that run."""
    preset = get_preset_or_404(request.user, preset_id)
    token = request.POST.get("token", "")  # makes a second click the same run
    key = f"preset:{preset.pk}:{token}" if re.fullmatch(r"[\w-]{20,64}", token, re.ASCII) else None
    try:
        started = jobs.start_preset(preset.pk, owner=request.user, idempotency_key=key, actor=_actor(request))
    except RunsError as exc:
        messages.error(request, str(exc))
        return redirect("dashboard:start", preset.job)
    return redirect("dashboard:run", started.run.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def delete_preset(request: HttpRequest, preset_id: UUID) -> HttpResponse:
    """Ask, then delete it; its runs stay."""
    preset = get_preset_or_404(request.user, preset_id)
    back = reverse("dashboard:start", args=[preset.job])
    if request.method != "POST":
        return render(request, "dashboard/start/delete_kept.html", {"kind": "preset", "kept": preset, "back": back})
    try:
        jobs.delete_preset(preset.pk, actor=_actor(request))
    except RunsError as exc:
        messages.error(request, str(exc))
    else:
        messages.success(request, "The preset is deleted.")
    return redirect(back)


def _actor(request: HttpRequest) -> jobs.Actor:
    return jobs.Actor.of(request.user, address=request.META.get("REMOTE_ADDR", ""))
