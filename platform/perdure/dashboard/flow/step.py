"""What a step's page says of a step of an agent flow: what its agent was told, or what its judge was asked."""

from dataclasses import dataclass
from typing import Any

from flows.agents import naming
from runs.events.types import EventType
from runs.jobs import redact
from runs.models import Event, Run, Step


@dataclass(frozen=True)
class FlowStep:
    """Texts exactly as they were sent; empty where there are none."""

    system: str = ""
    instruction: str = ""
    question: str = ""
    answer: str = ""


def read_flow_step(run: Run, name: str) -> FlowStep | None:
    """None for a step of another job, and for one without such texts."""
    place = naming.place_of(name) if run.job == naming.JOB else None
    if place is None:
        return None
    if place.is_judge:
        return _judged(run, place)
    if place.is_work or place.part == naming.INSTRUCTION:
        return _instructed(run, naming.work(place.iteration, place.step, place.sub))
    return None


def _instructed(run: Run, work: str) -> FlowStep | None:
    found = Step.objects.filter(run=run, name=naming.part(work, naming.INSTRUCTION)).first()
    told = redact(found.output, found.secrets) if found is not None else None
    if not isinstance(told, dict):
        return None
    return FlowStep(system=str(told.get("system") or ""), instruction=str(told.get("instruction") or ""))


def _judged(run: Run, place: naming.Place) -> FlowStep | None:
    is_loop = place.part.startswith(naming.LOOP_JUDGE)
    type_ = EventType.FLOW_LOOP if is_loop else EventType.FLOW_TRANSITION
    for event in Event.objects.filter(run=run, type=type_, step__startswith=f"{place.iteration}. ").order_by(
        "sequence"
    ):
        of = naming.place_of(event.step or "")
        if of is not None and (of.iteration, event.data.get("sub") or of.sub) == (place.iteration, place.sub):
            judge: dict[str, Any] = event.data.get("judge") or {}
            if judge:
                return FlowStep(question=str(judge.get("prompt") or ""), answer=str(judge.get("answer") or ""))
    return None
