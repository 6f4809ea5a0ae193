"""Fork a run: a new one that keeps what is recorded before a step, with the same input or another."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from perdure.dashboard.access import actor_of
from perdure.dashboard.forms.schema_form import JobForm
from perdure.dashboard.paging import read_text
from perdure.dashboard.run.actions import changeable
from perdure.dashboard.start.kept_input import Kept, input_form, input_of, without
from runs import jobs
from runs.errors import InvalidInput, JobNotFound, RunsError
from runs.models import Run, Step, StepStatus

STEPS_LISTED = 500
"""Of a run with more, the name is typed."""


class ChoiceForm(forms.Form):
    """Whether the fork has the old input."""

    prefix = "fork"
    input = forms.ChoiceField(
        label="Input", choices=[("same", "The same input"), ("other", "Another input")], widget=forms.RadioSelect
    )


@dataclass(frozen=True)
class Place:
    """Where the fork begins; `step` is None until a recorded one is named."""

    steps: list[Step]
    step: Step | None

    @property
    def is_listed(self) -> bool:
        return len(self.steps) <= STEPS_LISTED

    @property
    def kept(self) -> int:
        settled = (StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.CANCELLED, StepStatus.SKIPPED)
        before = [one for one in self.steps if self.step is not None and one.pk < self.step.pk]
        return sum(one.status in settled for one in before)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def fork_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """`?step=` names the first step that is done again; without it the failed one, or the first."""
    run = changeable(request, run_id)
    place = _place(run, read_text(request.GET, "step"))
    kept = _kept(run, request.user)
    job = _job(run)
    sent = request.POST if request.method == "POST" else None
    choice = ChoiceForm(sent, initial={"input": "same"})
    form = input_form(job, kept, request.GET, sent, request.FILES) if job is not None else None
    if sent is not None and place.step is not None and form is not None and choice.is_valid():
        made = _fork(request, run, place.step, form, kept, is_same=choice.cleaned_data["input"] == "same")
        if made is not None:
            messages.success(request, f"This is the fork. It begins again at step {place.step.name}.")
            return redirect("dashboard:run", made.pk)
    status = 200 if sent is None or (form is not None and form.is_edited) else 400
    secrets = 0 if run.owner_id == request.user.pk else len(run.secrets.get("input", []))
    context = {"run": run, "place": place, "choice": choice, "form": form, "secrets_to_give": secrets}
    return render(request, "dashboard/run/fork.html", context, status=status)


def _fork(request: HttpRequest, run: Run, step: Step, form: JobForm, kept: Kept, is_same: bool) -> Run | None:
    """None where the engine refused it, or where the form has to be corrected: it says so then."""
    if not is_same and not form.is_valid():
        return None
    other: Any = None if is_same else input_of(form, kept)
    try:
        return jobs.fork(run.pk, step.name, input=other, starter=request.user, actor=actor_of(request))
    except InvalidInput as exc:
        form.add_input_errors(exc.fields)
    except RunsError as exc:
        messages.error(request, str(exc))
    return None


def _kept(run: Run, user: Any) -> Kept:
    """With its secrets only for who gave them: beside another input they could be sent where they do not belong."""
    secrets = run.secrets.get("input", [])
    return Kept(run.input, secrets) if run.owner_id == user.pk else Kept(without(run.input, secrets), [])


def _place(run: Run, name: str) -> Place:
    steps = list(run.steps.defer("output", "error").order_by("id"))
    if name:
        return Place(steps, next((one for one in steps if one.name == name), None))
    failed = next((one for one in steps if one.status == StepStatus.FAILED), None)
    return Place(steps, failed or next(iter(steps), None))


def _job(run: Run) -> jobs.Job | None:
    try:
        return jobs.get_job(run.job, run.job_version)
    except JobNotFound:
        return None
