"""What is recorded of a run of the job of all flows: its definition, and how far it has come."""

from typing import Any

from pydantic import ValidationError

from flows.agents import catalogue, naming, stored
from flows.agents.errors import FlowNotFound, InvalidFlow
from flows.agents.progress import Progress, progress_of
from flows.agents.run_input import FlowInput
from flows.agents.spec import Flow
from runs.events.types import EventType
from runs.models import Event, Run, Step, StepStatus


def definition_of(run: Run) -> Flow | None:
    """The definition that a run is pinned to, or, as long as it is to none, would be now; None where it is gone."""
    try:
        return Flow.model_validate(_document(run))
    except (FlowNotFound, InvalidFlow, ValidationError):
        return None


def progress_of_run(run: Run, flow: Flow | None) -> Progress:
    """Two queries. Of a run whose history was cleaned up there is only what is left of it."""
    steps = Step.objects.filter(run=run).order_by("id").values_list("name", "status")
    events = Event.objects.filter(run=run, type=EventType.FLOW_TRANSITION).order_by("sequence")
    initial = flow.initial_step if flow is not None else ""
    return progress_of(steps, events.values_list("data", flat=True), initial=initial, ended=run.has_ended)


def transitions_of(run: Run, most: int) -> list[dict[str, Any]]:
    """The data of the newest `flow:transition` events, in order."""
    events = Event.objects.filter(run=run, type=EventType.FLOW_TRANSITION).order_by("-sequence")[:most]
    return [event.data for event in reversed(events)]


def _document(run: Run) -> Any:
    """Raises FlowNotFound, ValidationError."""
    given = FlowInput.model_validate(run.input)
    if given.definition:
        return stored.pinned(given.definition)
    read = Step.objects.filter(run=run, name=naming.READ_DEFINITION, status=StepStatus.COMPLETED).first()
    if read is not None and isinstance(read.output, dict) and "flow" in read.output:
        return read.output["flow"]
    return catalogue.find(given.flow, given.version or None)
