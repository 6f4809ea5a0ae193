"""What the buttons of a start form do: start a run, keep a preset, show the code, or the input as JSON or as a form."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from perdure.dashboard.access import actor_of
from perdure.dashboard.forms.schema_form import RAW, JobForm
from perdure.dashboard.start.copy_as import Snippet, Wanted, snippets
from perdure.dashboard.start.kept_input import MASK, Beginning, form_of, input_of, without
from perdure.dashboard.start.options import OptionsForm
from perdure.dashboard.start.targets import JobTarget, Target
from runs import jobs
from runs.errors import InvalidInput, NameTaken, RunsError

A = TypeVar("A")


@dataclass(frozen=True)
class Sent:
    """A start form as it was sent."""

    request: HttpRequest
    target: Target
    beginning: Beginning
    form: JobForm
    options: OptionsForm

    @property
    def labels(self) -> dict[str, str] | None:
        """Those of the preset; a run's are not taken over, since they may tell whoever watches it what it is."""
        return getattr(self.beginning.kept, "labels", None)

    @property
    def value(self) -> Any:
        """Raises InvalidInput, as `input_of` does."""
        job = self.target.job if isinstance(self.target, JobTarget) else None
        return input_of(self.form, self.beginning.kept, job, self.request.user)


@dataclass(frozen=True)
class Shown:
    """The form as it is shown next. `snippets` are there where code was asked for."""

    form: JobForm
    options: OptionsForm
    status: int = 200
    snippets: list[Snippet] = field(default_factory=list)
    hides_secrets: bool = False
    said: str = ""
    """What the person should know of it, as that a form cannot hold an input."""


_SECRETS = "Secrets are left out of the JSON. Give them before you start the run."
_NO_FORM = "This input says more than the form has fields for, so it is shown as JSON."


def begun(request: HttpRequest, target: Target, beginning: Beginning, token: str) -> Shown:
    """The form before anything was sent."""
    options = OptionsForm(request.user, initial={"token": token})
    form = form_of(target, beginning, "json" in request.GET)
    if form.is_raw or not beginning.is_given or form.holds(without(beginning.value, beginning.hidden)):
        return Shown(form, options)
    return Shown(form_of(target, beginning, as_json=True), options, said=_NO_FORM)


def ways(request: HttpRequest, target: Target) -> dict[str, Any]:
    """The addresses of the page with a form and with JSON, for its template."""
    kept = {name: value for name, value in request.GET.items() if name in ("preset", "like")}
    return {
        "has_form": not form_of(target, Beginning(), as_json=False).is_raw,
        "as_form": f"{request.path}?{urlencode(kept)}" if kept else request.path,
        "as_json": f"{request.path}?{urlencode(kept | {'json': ''})}",
        "keeps_presets": target.keeps_presets,
    }


def act(sent: Sent) -> HttpResponse | Shown:
    """Do what the button says; a redirect where it is done, else the form again."""
    wanted = str(sent.request.POST.get("do", "start"))
    if sent.form.is_edited:
        return Shown(sent.form, sent.options)
    if wanted in _VIEWS:
        return _VIEWS[wanted](sent)
    done = None
    if sent.form.is_valid() and sent.options.is_valid():
        done = _ACTIONS.get(wanted, _start)(sent)
    return done if done is not None else Shown(sent.form, sent.options, 400)


def _start(sent: Sent) -> HttpResponse | None:
    def start() -> HttpResponse:
        run = sent.target.start(
            sent.value, sent.labels, owner=sent.request.user, team=sent.options.cleaned_data.get("team"),
            idempotency_key=_key(sent.options.cleaned_data["token"], sent.value), actor=actor_of(sent.request),
        )  # fmt: skip
        return redirect("dashboard:run", run.pk)

    return _refused(sent, start)


def _keep(sent: Sent) -> HttpResponse | None:
    name = sent.options.cleaned_data["preset_name"]
    if not isinstance(sent.target, JobTarget):
        return None
    job = sent.target.job
    if not name:
        sent.options.add_error("preset_name", "Give the preset a name.")
        return None

    def keep() -> HttpResponse:
        jobs.create_preset(
            name, job.name, sent.value, labels=sent.labels, owner=sent.request.user,
            team=sent.options.cleaned_data.get("team"), actor=actor_of(sent.request),
        )  # fmt: skip
        messages.success(sent.request, f"The preset {name} is kept.")
        return redirect("dashboard:start", job.name)

    return _refused(sent, keep)


def _show_code(sent: Sent) -> Shown | None:
    def show() -> Shown:
        team = sent.options.cleaned_data.get("team")
        job, value, labels = sent.target.asked_for(sent.value, sent.labels)
        base_url = sent.request.build_absolute_uri("/").rstrip("/")
        wanted = Wanted(base_url, job, value, team.name if team else None, labels)
        return Shown(sent.form, sent.options, snippets=snippets(wanted), hides_secrets=MASK in json.dumps(value))

    return _refused(sent, show)


def _refused(sent: Sent, action: Callable[[], A]) -> A | None:
    """What `action` gives; None where the engine refuses, which is then told at its field."""
    try:
        return action()
    except InvalidInput as exc:
        sent.form.add_input_errors(exc.fields)
    except NameTaken as exc:
        sent.options.add_error("preset_name", str(exc))
    except RunsError as exc:
        sent.form.add_error(None, str(exc))
    return None


def _as_json(sent: Sent) -> Shown:
    """What was typed so far as JSON, without secrets."""
    source = form_of(sent.target, sent.beginning, False, sent.request.POST, sent.request.FILES)
    shown = JobForm({}, value=source.typed_value())
    has_secrets = any(leaf.is_secret for leaf in source.tree.all_leaves())
    if not _is_only_incomplete(source):
        return Shown(source, sent.options, 400, said="Correct what is marked; then it can be shown as JSON.")
    return Shown(shown, _kept(sent), said=_SECRETS if has_secrets else "")


def _as_form(sent: Sent) -> Shown:
    """The JSON that was typed in the fields of the form, where they can hold it."""
    source = form_of(sent.target, Beginning(), True, sent.request.POST)
    text = str(sent.request.POST.get(RAW, "")).strip()
    value = without(source.typed_value(), sent.beginning.hidden) if text else {}
    if text and source.errors:
        return Shown(source, sent.options, 400)
    shown = form_of(sent.target, Beginning(value, sent.beginning.hidden), False)
    if not shown.holds(value):
        return Shown(JobForm({}, value=value), _kept(sent), said=_NO_FORM)
    return Shown(shown, _kept(sent))


def _is_only_incomplete(form: JobForm) -> bool:
    """Whether nothing is wrong but what is not there yet."""
    found = [error for errors in form.errors.as_data().values() for error in errors]
    return all(error.code == "required" for error in found)


def _kept(sent: Sent) -> OptionsForm:
    """The options as they were typed, on a form that is not sent yet."""
    shown = {name: sent.options[name].value() for name in sent.options.fields}
    return OptionsForm(sent.request.user, initial=shown)


def _key(token: str, value: Any) -> str:
    """The same for a double click; another one after going back and changing a field, which asks for a new run."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
    return f"form:{token}:{digest[:24]}"


_ACTIONS: dict[str, Callable[[Sent], HttpResponse | Shown | None]] = {
    "start": _start, "preset": _keep, "code": _show_code,
}  # fmt: skip
_VIEWS: dict[str, Callable[[Sent], Shown]] = {"json": _as_json, "form": _as_form}
