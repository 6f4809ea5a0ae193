"""The input of a schedule that starts an agent flow: its task as a text, and what its parameters ask for."""

from typing import Any

from django import forms

from flows.agents.catalogue import all_flows
from flows.agents.naming import JOB
from flows.agents.run_input import MAX_TASK
from flows.agents.spec import Flow
from runs.models import Schedule

_PARAMETER = "var-"


class FlowInputForm(forms.Form):
    """Stands where the form of a job's schema stands; each run takes the flow's newest version of its time."""

    prefix = "flow"
    task = forms.CharField(
        max_length=MAX_TASK, widget=forms.Textarea(attrs={"rows": 4}), help_text="What is to be done each time."
    )
    folder = forms.CharField(
        required=False, max_length=4096, help_text="Where its agents work on files. One of those that may be used."
    )
    max_steps = forms.IntegerField(required=False, min_value=1, label="Most iterations")
    is_edited = False

    def __init__(self, flow: Flow, data: Any = None, kept: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=_initial(kept or {}))
        self.flow, self.kept = flow, kept or {}
        if flow.max_steps is not None:
            self.fields["max_steps"].help_text = f"Tightens its own limit of {flow.max_steps}. There it asks for more."
        if flow.workspace is None:
            del self.fields["folder"]
        for name, parameter in flow.subflow.params.items():
            self.fields[f"{_PARAMETER}{name}"] = forms.CharField(
                required=parameter.default is None, label=name, help_text=parameter.description, max_length=10_000,
                initial=self.kept.get("vars", {}).get(name) or parameter.default or "",
            )  # fmt: skip

    @property
    def shown(self) -> list[forms.BoundField]:
        """The parameters behind the task, then the rest."""
        names = sorted(self.fields, key=lambda name: (name != "task", not name.startswith(_PARAMETER)))
        return [self[name] for name in names]

    def input_value(self) -> dict[str, Any]:
        """What the job of all flows takes; what is kept and has no field here stays."""
        given = self.cleaned_data
        variables = {
            name.removeprefix(_PARAMETER): text for name, text in given.items() if name.startswith(_PARAMETER) and text
        }
        fields = {"task": given["task"], "folder": given.get("folder") or "", "max_steps": given["max_steps"]}
        return {**self.kept, "flow": self.flow.name, **fields, "vars": variables}

    def add_input_errors(self, errors: list[dict[str, str]]) -> None:
        """Puts what the job refuses where its field is."""
        for error in errors:
            name = error["field"] if error["field"] in self.fields else None
            self.add_error(name, error["message"] if name else f"{error['field']}: {error['message']}")


def flow_named(name: str) -> Flow | None:
    return next((flow for flow in all_flows() if flow.name == name), None)


def flow_of(schedule: Schedule) -> Flow | None:
    """The flow that it starts. None for another job, one that is gone, and an input whose secrets no field shows."""
    if schedule.job != JOB or schedule.secrets or not isinstance(schedule.input, dict):
        return None
    return flow_named(str(schedule.input.get("flow", "")))


def _initial(kept: dict[str, Any]) -> dict[str, Any]:
    return {name: kept[name] for name in ("task", "folder", "max_steps") if kept.get(name)}
