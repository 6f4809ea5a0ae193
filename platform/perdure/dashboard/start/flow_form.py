"""The form that starts a run of an agent flow: its task, its parameters, and how it is watched."""

import hashlib
import json
from typing import Any

from django import forms
from django.contrib.auth.models import Group

from flows.agents import starting
from flows.agents.run_input import MAX_TASK
from flows.agents.spec import Flow
from runs.jobs import Actor, redact
from runs.models import Run

_PARAMETER = "var-"


def initial_of(run: Run) -> dict[str, Any]:
    """What a run of a flow was started with, as the form begins with it."""
    given = redact(run.input, run.secrets.get("input", []))
    same = {name: given.get(name) for name in ("task", "folder", "max_steps", "single_step")}
    return same | {f"{_PARAMETER}{name}": text for name, text in (given.get("vars") or {}).items()}


class FlowForm(forms.Form):
    """`token` makes a second click the same run."""

    prefix = "flow"
    task = forms.CharField(
        max_length=MAX_TASK, widget=forms.Textarea(attrs={"rows": 4}), help_text="What is to be done."
    )
    folder = forms.CharField(
        required=False, max_length=4096, help_text="Where its agents work on files. One of those that may be used."
    )
    max_steps = forms.IntegerField(required=False, min_value=1, label="Most iterations")
    single_step = forms.BooleanField(
        required=False, label="Wait after each step", help_text="To look before it goes on."
    )
    team = forms.ModelChoiceField(Group.objects.none(), required=False, empty_label="Only me")
    token = forms.RegexField(r"^[\w-]{20,64}$", widget=forms.HiddenInput)

    def __init__(self, flow: Flow, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = user.groups.all()
        self.fields["team"].queryset = teams  # type: ignore[attr-defined]
        if not teams.exists():
            del self.fields["team"]
        if flow.max_steps is not None:
            self.fields["max_steps"].help_text = f"Tightens its own limit of {flow.max_steps}. There it asks for more."
        if flow.workspace is None:
            del self.fields["folder"]
        for name, parameter in flow.subflow.params.items():
            self.fields[f"{_PARAMETER}{name}"] = forms.CharField(
                required=parameter.default is None, label=name, initial=parameter.default or "",
                help_text=parameter.description, max_length=10_000,
            )  # fmt: skip

    @property
    def shown(self) -> list[forms.BoundField]:
        """Every field that people fill in: the parameters behind the task."""
        names = sorted(self.fields, key=lambda name: (name != "task", not name.startswith(_PARAMETER)))
        return [self[name] for name in names if name != "token"]

    @property
    def variables(self) -> dict[str, str]:
        """What was given for the flow's parameters. Call it on a valid form."""
        given = {name: text for name, text in self.cleaned_data.items() if name.startswith(_PARAMETER) and text}
        return {name.removeprefix(_PARAMETER): text for name, text in given.items()}

    def asked_for(self, name: str) -> dict[str, Any]:
        """The same start as the input of the job of all flows. Call it on a valid form."""
        given = self.cleaned_data
        value = {
            "flow": name, "task": given["task"], "folder": given.get("folder"), "vars": self.variables,
            "max_steps": given["max_steps"], "single_step": given["single_step"],
        }  # fmt: skip
        return {name: one for name, one in value.items() if one not in (None, "", {}, False)}

    def start(self, flow: Flow, user: Any) -> Run:
        """Call it on a valid form. Raises what `flows.agents.starting.start` raises."""
        given, variables = self.cleaned_data, self.variables
        folder, single_step, most = given.get("folder") or "", given["single_step"], given["max_steps"]
        sent = json.dumps([flow.name, flow.version, given["task"], folder, variables, single_step, most])
        return starting.start(
            flow, given["task"], folder=folder, variables=variables, single_step=single_step, max_steps=most,
            owner=user, team=given.get("team"), actor=Actor.of(user),
            idempotency_key=f"form:{given['token']}:{hashlib.sha256(sent.encode()).hexdigest()[:24]}",
        ).run  # fmt: skip
