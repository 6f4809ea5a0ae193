"""Fork a run: a new one that keeps what is recorded before a step, with other results or another input where given."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from perdure.dashboard.access import actor_of
from perdure.dashboard.forms.building import EDIT
from perdure.dashboard.paging import read_text
from perdure.dashboard.run.actions import changeable
from perdure.dashboard.run.fork_place import read_place
from perdure.dashboard.run.fork_results import read_edits
from perdure.dashboard.start.kept_input import Kept, input_form, input_of, without
from runs import jobs
from runs.errors import InvalidInput, JobNotFound, RunsError
from runs.models import Run


class ChoiceForm(forms.Form):
    """Whether the fork has the old input."""

    prefix = "fork"
    input = forms.ChoiceField(
        label="Input", choices=[("same", "The same input"), ("other", "Another input")], widget=forms.RadioSelect
    )


class _Fork:
    """What is asked for: a place, an input, and results."""

    def __init__(self, request: HttpRequest, run: Run) -> None:
        self.request, self.run = request, run
        self.place = read_place(run, read_text(request.GET, "step"))
        self.sent = _sent(request)
        self.kept = _kept(run, request.user)
        job = _job(run)
        self.choice = ChoiceForm(self.sent, initial={"input": "same"})
        self.form = None if job is None else input_form(job, self.kept, request.GET, self.sent, request.FILES)
        self.edits = read_edits(run, self.place, self.sent)
        self.refusal = self.place.giving_away(request.user, run)

    @property
    def is_picking(self) -> bool:
        """Was a button pressed that puts a field in or takes one away? There is nothing to complain about yet."""
        return self.sent is not None and (self.sent.get("do") == "add" or "drop" in self.sent)

    @property
    def is_same(self) -> bool:
        return self.choice.is_valid() and self.choice.cleaned_data["input"] == "same"

    def is_valid(self) -> bool:
        if self.sent is None or self.form is None or self.place.step is None:
            return False
        return self.choice.is_valid() and (self.is_same or self.form.is_valid()) and self.edits.are_valid

    def make(self) -> Run | None:
        """None where the engine refused it: the form or a message says so then."""
        assert self.form is not None
        assert self.place.step is not None
        other = None if self.is_same else input_of(self.form, self.kept)
        try:
            return jobs.fork(
                self.run.pk, self.place.step.name, input=other, outputs=self.edits.outputs,
                starter=self.request.user, actor=actor_of(self.request),
            )  # fmt: skip
        except InvalidInput as exc:
            self.form.add_input_errors(exc.fields)
        except RunsError as exc:
            messages.error(self.request, str(exc))
        return None


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def fork_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """`?step=` names the first step that is done again; without it the failed one, or the first.

    A POST with `do=preview` shows what the fork would do, and starts nothing; nor does one that picks results.
    """
    run = changeable(request, run_id)
    fork = _Fork(request, run)
    is_preview = request.POST.get("do") == "preview"
    is_fine = fork.is_picking or fork.is_valid()
    if is_fine and not fork.is_picking and not is_preview:
        made = fork.make()
        if made is not None and fork.place.step is not None:
            messages.success(request, f"This is the fork. It begins again at step {fork.place.step.name}.")
            return redirect("dashboard:run", made.pk)
        is_fine = False
    is_edited = fork.form is not None and fork.form.is_edited
    status = 200 if request.method != "POST" or is_fine or is_edited else 400
    context = _shown(fork) | {"is_previewed": is_preview and is_fine, "is_wrong": status == 400}
    return render(request, "dashboard/run/fork.html", context, status=status)


def _shown(fork: _Fork) -> dict[str, Any]:
    run, user, place = fork.run, fork.request.user, fork.place
    picked = {one.step.pk for one in fork.edits.edits}
    changed = {one.step.pk for one in fork.edits.changed}
    return {
        "run": run,
        "place": place,
        "choice": fork.choice,
        "form": fork.form,
        "edits": fork.edits,
        "is_picking": fork.is_picking,
        "refusal": fork.refusal,
        "to_pick": [one for one in place.editable if one.pk not in picked],
        "kept_as_it_is": [one for one in place.kept if one.pk not in changed],
        "other_input": fork.choice.is_bound and not fork.is_same,
        "secrets_to_give": 0 if run.owner_id == user.pk else len(run.secrets.get("input", [])),
    }


def _sent(request: HttpRequest) -> QueryDict | None:
    """What was typed; where a field for a result is put in or taken away, the form of the input is edited, too."""
    if request.method != "POST":
        return None
    if request.POST.get("do") != "add" and "drop" not in request.POST:
        return request.POST
    sent = request.POST.copy()
    sent.setdefault(EDIT, "")
    return sent


def _kept(run: Run, user: Any) -> Kept:
    """With its secrets only for who gave them: beside another input they could be sent where they do not belong."""
    secrets = run.secrets.get("input", [])
    return Kept(run.input, secrets) if run.owner_id == user.pk else Kept(without(run.input, secrets), [])


def _job(run: Run) -> jobs.Job | None:
    try:
        return jobs.get_job(run.job, run.job_version)
    except JobNotFound:
        return None
