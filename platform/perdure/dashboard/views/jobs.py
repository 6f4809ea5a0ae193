import hashlib
import json
import secrets
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import Group
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from perdure.dashboard.catalogue import card_of, latest_jobs
from perdure.dashboard.schema_form import RAW, JobForm
from runs import jobs
from runs.definitions import Job
from runs.errors import InvalidInput, JobNotFound, RunsError


@require_safe
@login_required
def show_jobs(request: HttpRequest) -> HttpResponse:
    """Every job that can be started."""
    return render(request, "dashboard/job_list.html", {"jobs": latest_jobs()})


class OptionsForm(forms.Form):
    """For whom the run is, and the token that makes a second click the same run."""

    prefix = "run"
    team = forms.ModelChoiceField(Group.objects.none(), required=False, empty_label="Only me")
    token = forms.RegexField(r"^[\w-]{20,64}$", widget=forms.HiddenInput)

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = user.groups.all()
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]
        if not teams.exists():
            del self.fields["team"]


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def start_job(request: HttpRequest, name: str) -> HttpResponse:
    """A form made from the job's input schema; sent, it starts one run and shows it."""
    token = request.POST.get("run-token") or secrets.token_urlsafe(24)
    job = _job_or_404(name, token)
    schema = job.input_schema() if "json" not in request.GET else {}
    if request.method != "POST":
        form = JobForm(schema)
        options = OptionsForm(request.user, initial={"token": token})
        return _show(request, job, form, options)
    form, options = JobForm(schema, request.POST), OptionsForm(request.user, request.POST)
    if form.is_valid() and options.is_valid():
        started = _start(request, job, form, options)
        if started is not None:
            return redirect("dashboard:run", started.run.pk)
    return _show(request, job, form, options, status=400)


def _start(request: HttpRequest, job: Job, form: JobForm, options: OptionsForm) -> jobs.Started | None:
    value = form.input_value()
    try:
        return jobs.start(
            job,
            value,
            owner=request.user,
            team=options.cleaned_data.get("team"),
            idempotency_key=_key(options.cleaned_data["token"], value),
            actor=jobs.Actor.of(request.user),
        )
    except InvalidInput as exc:
        form.add_input_errors(exc.fields)
    except RunsError as exc:
        form.add_error(None, str(exc))
    return None


def _key(token: str, value: Any) -> str:
    """The same for a double click; another one after going back and changing a field, which asks for a new run."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
    return f"form:{token}:{digest[:24]}"


def _job_or_404(name: str, token: str) -> Job:
    """The version that a rollout chooses for this form, when it is shown and when it is sent."""
    try:
        return jobs.job_for_new_run(name, token)
    except JobNotFound as exc:
        raise Http404("There is no such job. Choose one in the list of jobs.") from exc


def _show(request: HttpRequest, job: Job, form: JobForm, options: OptionsForm, status: int = 200) -> HttpResponse:
    context = {"job": card_of(job), "form": form, "options": options, "raw": RAW in form.schema_fields}
    return render(request, "dashboard/start.html", context, status=status)
