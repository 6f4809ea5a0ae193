"""An agent flow on the page of its run: its graph with the way that was taken, why, and what people told it."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from django import forms

from flows.agents import naming
from flows.agents.execution.steering import MOST_CHARACTERS
from flows.agents.graph import graph_of
from flows.agents.interventions import Steered, read_steering
from flows.agents.progress import Hop, Progress
from flows.agents.shown import definition_of, progress_of_run
from flows.agents.spec import Flow
from perdure.dashboard.flow_graph import Drawing, draw
from runs.models import Run

HOPS_SHOWN = 50
_METHODS = {
    "aggregate": "by what the sub-steps matched",
    "when": "by its expression",
    "tag": "by the agent's tag",
    "ai_judge": "a judge chose among the ai() rules",
    "label_judge": "a judge chose among the labels",
    "default": "no rule matched: the default",
    "return": "by what was returned",
    "next": "the step has no rules: the next one",
}


@dataclass(frozen=True)
class Why:
    """One transition as the page tells it; `how` says in words how it was decided."""

    hop: Hop
    how: str


@dataclass(frozen=True)
class FlowCard:
    """`flow` and `drawing` are None where the definition is gone; `whys` are the newest, newest first."""

    flow: Flow | None
    progress: Progress
    drawing: Drawing | None
    whys: list[Why]
    steering: Steered

    @property
    def more_whys(self) -> bool:
        return len(self.progress.hops) > HOPS_SHOWN

    @property
    def can_interrupt(self) -> bool:
        return self.flow is not None and self.flow.interventions == "interrupt"


class TellForm(forms.Form):
    """A message to the agents; `token` makes a second click the same message."""

    prefix = "tell"
    text = forms.CharField(
        label="Message to the agents", max_length=MOST_CHARACTERS, widget=forms.Textarea(attrs={"rows": 2})
    )
    policy = forms.ChoiceField(
        required=False, label="When", choices=[("next_step", "At the next step"), ("interrupt", "At once: interrupt")]
    )
    token = forms.RegexField(r"^[\w-]{20,64}$", widget=forms.HiddenInput)

    @classmethod
    def fresh(cls, policy: str = "next_step") -> "TellForm":
        return cls(initial={"token": secrets.token_urlsafe(24), "policy": policy})

    @property
    def key(self) -> str:
        sent = f"{self.cleaned_data['policy']}:{self.cleaned_data['text']}"
        return f"form:{self.cleaned_data['token']}:{hashlib.sha256(sent.encode()).hexdigest()[:24]}"


def read_flow(run: Run) -> FlowCard | None:
    """None for a run of another job."""
    if run.job != naming.JOB:
        return None
    flow = definition_of(run)
    progress = progress_of_run(run, flow)
    return FlowCard(
        flow=flow,
        progress=progress,
        drawing=draw(graph_of(flow), progress) if flow is not None else None,
        whys=[Why(hop, _how(hop)) for hop in reversed(progress.hops[-HOPS_SHOWN:])],
        steering=read_steering(run),
    )


def tell_form(card: FlowCard | None) -> TellForm | None:
    return TellForm.fresh(card.flow.interventions if card.flow else "next_step") if card is not None else None


def _how(hop: Hop) -> str:
    if hop.kind:
        return hop.reason or hop.kind.replace("_", " ")
    return _METHODS.get(hop.method, hop.method)


def of_step(name: str) -> dict[str, Any]:
    """What a step's page says of a step of a flow: its place, and whether it is an instruction or a judge's word."""
    place = naming.place_of(name)
    return {"place": place} if place is not None else {}
