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
from flows.agents.progress import Progress
from flows.agents.shown import definition_of, progress_of_run
from flows.agents.spec import Flow
from perdure.dashboard.flow.graph import Drawing, draw
from perdure.dashboard.flow.words import how_of, words_of
from runs.events.types import EventType
from runs.models import Event, Run, RunStatus

WHYS_SHOWN = 50
_TOLD = (EventType.FLOW_TRANSITION, EventType.FLOW_LOOP, EventType.FLOW_LIMIT, EventType.FLOW_BLOCKED)
_OTHERS: dict[str, str] = {
    EventType.FLOW_LOOP: "the flow goes in circles",
    EventType.FLOW_LIMIT: "the limit of iterations",
    EventType.FLOW_BLOCKED: "an agent could not go on by itself",
}


@dataclass(frozen=True)
class Why:
    """One transition, loop, limit or question of the flow; `how` says how it was decided."""

    sequence: int
    iteration: int | None
    said: str
    how: str
    prompt: str
    answer: str
    notes: list[str]


@dataclass(frozen=True)
class FlowCard:
    """`flow` and `drawing` are None where the definition is gone; `whys` are the newest, newest first."""

    flow: Flow | None
    progress: Progress
    drawing: Drawing | None
    whys: list[Why]
    steering: Steered

    most: int | None = None
    """The limit of iterations as it stands now; None where there is none, or the run needs no more."""

    @property
    def more_whys(self) -> bool:
        return len(self.whys) >= WHYS_SHOWN

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
        whys=_read_whys(run),
        steering=read_steering(run),
        most=(run.progress or {}).get("total") if run.status != RunStatus.COMPLETED else None,
    )


def tell_form(card: FlowCard | None) -> TellForm | None:
    return TellForm.fresh(card.flow.interventions if card.flow else "next_step") if card is not None else None


def _read_whys(run: Run) -> list[Why]:
    events = Event.objects.filter(run=run, type__in=_TOLD).order_by("-sequence")[:WHYS_SHOWN]
    return [_why(event.sequence, event.type, event.step, event.data) for event in events]


def _why(sequence: int, type_: str, step: str | None, data: dict[str, Any]) -> Why:
    place, judge = naming.place_of(step or ""), data.get("judge") or {}
    return Why(
        sequence=sequence, iteration=place.iteration if place else None, said=words_of(type_, data),
        how=how_of(data) if type_ == EventType.FLOW_TRANSITION else _OTHERS[type_],
        prompt=str(judge.get("prompt") or ""), answer=str(judge.get("answer") or ""),
        notes=[str(one) for one in data.get("notes") or ()],
    )  # fmt: skip
