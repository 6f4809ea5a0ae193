"""What can be started, and the page that starts a run of a job."""

import secrets
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from flows.agents.catalogue import all_flows
from flows.agents.naming import JOB as FLOW_JOB
from perdure.dashboard.access import get_preset_or_404, get_run_or_404
from perdure.dashboard.catalogue import card_of
from perdure.dashboard.documents import KINDS, document_of
from perdure.dashboard.paging import read_text
from perdure.dashboard.start import sending
from perdure.dashboard.start.around import read_around
from perdure.dashboard.start.job_list import read_job_list
from perdure.dashboard.start.kept_input import Beginning, form_of, of_kept, of_run
from perdure.dashboard.start.options import OptionsForm
from perdure.dashboard.start.targets import JobTarget
from runs import jobs
from runs.definitions import Job
from runs.errors import JobNotFound
from runs.models import Run


@require_safe
@login_required
@never_cache
def show_jobs(request: HttpRequest) -> HttpResponse:
    """Everything that can be started; `?q=` looks for words in it."""
    text = read_text(request.GET, "q").strip()
    return render(request, "dashboard/start/job_list.html", {"list": read_job_list(request.user, text), "text": text})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def start_job(request: HttpRequest, name: str) -> HttpResponse:
    """A form made from the job's input schema; sent, it starts one run, keeps a preset, or shows the code for it.

    It begins with what `?preset=` holds, or what the run `?like=` was started with. The job of all flows shows these
    instead, which have forms of their own.
    """
    token = request.POST.get("run-token") or secrets.token_urlsafe(24)
    job = _job_or_404(name, token)
    like = _run_or_none(request, job)
    if like is not None and (page := page_of_definition(like)):
        return redirect(f"{page}?like={like.pk}#start")
    target = JobTarget(job)
    beginning = of_run(like) if like is not None else of_kept(_preset_or_none(request, job))
    if request.method != "POST":
        return _show(request, job, sending.begun(request, target, beginning, token), beginning)
    form = form_of(target, beginning, "json" in request.GET, request.POST, request.FILES)
    sent = sending.Sent(request, target, beginning, form, OptionsForm(request.user, request.POST))
    answer = sending.act(sent)
    return answer if isinstance(answer, HttpResponse) else _show(request, job, answer, beginning)


def page_of_definition(run: Run) -> str | None:
    """Where a run's flow or pipeline is started; None for a run of another job, and of a name that no page can have."""
    name = document_of(run.job, run.input)
    return reverse(f"dashboard:{KINDS[run.job]}", args=[name]) if name and "/" not in name else None


def _run_or_none(request: HttpRequest, job: Job) -> Run | None:
    if "like" not in request.GET:
        return None
    try:
        run = get_run_or_404(request.user, UUID(request.GET["like"]))
    except ValueError:
        run = None
    if run is None or run.job != job.name:
        raise Http404("There is no such run of this job. Look in the list of runs.")
    return run


def _preset_or_none(request: HttpRequest, job: Job) -> Any:
    return get_preset_or_404(request.user, request.GET["preset"], job.name) if "preset" in request.GET else None


def _job_or_404(name: str, token: str) -> Job:
    """The version that a rollout chooses for this form, when it is shown and when it is sent."""
    try:
        return jobs.job_for_new_run(name, token)
    except JobNotFound as exc:
        raise Http404("There is no such job. Choose one in the list of jobs.") from exc


def _show(request: HttpRequest, job: Job, shown: sending.Shown, beginning: Beginning) -> HttpResponse:
    is_begun = not shown.form.is_bound and not beginning.is_given and not shown.form.is_raw
    only_flows = job.name == FLOW_JOB and is_begun
    context = {
        "job": card_of(job),
        "shown": shown,
        "beginning": beginning,
        "around": read_around(request.user, job.name),
        "flows": all_flows() if only_flows else [],
        "only_flows": only_flows,
        "preset_token": secrets.token_urlsafe(24),
    } | sending.ways(request, JobTarget(job))
    return render(request, "dashboard/start/start.html", context, status=shown.status)
