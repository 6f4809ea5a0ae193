import hashlib
import json
import secrets
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import Group
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from flows.agents.catalogue import all_flows
from flows.agents.naming import JOB
from perdure.dashboard.access import get_preset_or_404
from perdure.dashboard.catalogue import card_of, latest_jobs
from perdure.dashboard.kept_input import input_form, input_of
from perdure.dashboard.schema_form import RAW, JobForm
from runs import jobs
from runs.definitions import Job
from runs.errors import InvalidInput, JobNotFound, NameTaken, RunsError
from runs.models import Preset

PRESETS_SHOWN = 50


@require_safe
@login_required
def show_jobs(request: HttpRequest) -> HttpResponse:
    """Every job that can be started."""
    return render(request, "dashboard/job_list.html", {"jobs": latest_jobs()})


class OptionsForm(forms.Form):
    """For whom the run or the preset is, and the token that makes a second click the same run."""

    prefix = "run"
    team = forms.ModelChoiceField(Group.objects.none(), required=False, empty_label="Only me")
    preset_name = forms.CharField(label="Name of the preset", max_length=200, required=False)
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
    """A form made from the job's input schema; sent, it starts one run and shows it, or keeps it as a preset.

    With `?preset=` it begins with what that preset holds. The job of all flows shows these instead, which have forms
    of their own.
    """
    token = request.POST.get("run-token") or secrets.token_urlsafe(24)
    job = _job_or_404(name, token)
    preset = get_preset_or_404(request.user, request.GET["preset"], job.name) if "preset" in request.GET else None
    if request.method != "POST":
        options = OptionsForm(request.user, initial={"token": token})
        return _show(request, job, input_form(job, preset, request.GET), options, preset)
    form, options = input_form(job, preset, request.GET, request.POST), OptionsForm(request.user, request.POST)
    if form.is_valid() and options.is_valid():
        keep = request.POST.get("do") == "preset"
        answer = (_save if keep else _start)(request, job, form, options, preset)
        if answer is not None:
            return answer
    return _show(request, job, form, options, preset, status=400)


def _start(
    request: HttpRequest, job: Job, form: JobForm, options: OptionsForm, preset: Preset | None
) -> HttpResponse | None:
    value = input_of(form, preset)
    try:
        started = jobs.start(
            job,
            value,
            owner=request.user,
            team=options.cleaned_data.get("team"),
            labels=preset.labels if preset else None,
            idempotency_key=_key(options.cleaned_data["token"], value),
            actor=jobs.Actor.of(request.user),
        )
    except InvalidInput as exc:
        form.add_input_errors(exc.fields)
    except RunsError as exc:
        form.add_error(None, str(exc))
    else:
        return redirect("dashboard:run", started.run.pk)
    return None


def _save(
    request: HttpRequest, job: Job, form: JobForm, options: OptionsForm, preset: Preset | None
) -> HttpResponse | None:
    name, team = options.cleaned_data["preset_name"], options.cleaned_data.get("team")
    if not name:
        options.add_error("preset_name", "Give the preset a name.")
        return None
    try:
        jobs.create_preset(
            name, job.name, input_of(form, preset), labels=preset.labels if preset else None, owner=request.user,
            team=team, actor=jobs.Actor.of(request.user),
        )  # fmt: skip
    except InvalidInput as exc:
        form.add_input_errors(exc.fields)
    except NameTaken as exc:
        options.add_error("preset_name", str(exc))
    except RunsError as exc:
        form.add_error(None, str(exc))
    else:
        messages.success(request, f"The preset {name} is kept.")
        return redirect("dashboard:start", job.name)
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


def _show(
    request: HttpRequest, job: Job, form: JobForm, options: OptionsForm, preset: Preset | None, status: int = 200
) -> HttpResponse:
    presets = jobs.visible_presets(request.user).filter(job=job.name).select_related("team").order_by("name")
    only_flows = job.name == JOB and not form.is_bound and preset is None and RAW not in form.schema_fields
    context = {
        "job": card_of(job),
        "form": form,
        "options": options,
        "raw": RAW in form.schema_fields,
        "preset": preset,
        "flows": all_flows() if only_flows else [],
        "only_flows": only_flows,
        "presets": presets[:PRESETS_SHOWN],
        "preset_token": secrets.token_urlsafe(24),
    }
    return render(request, "dashboard/start.html", context, status=status)
