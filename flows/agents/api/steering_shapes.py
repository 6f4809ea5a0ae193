"""What is sent to and answered by the doors to a running flow."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from flows.agents.execution.steering import MOST_CHARACTERS
from flows.agents.graph import graph_of
from flows.agents.interventions import Mode, Policy, Told, read_steering
from flows.agents.shown import definition_of, progress_of_run, transitions_of
from runs.api.requests import Body, Key
from runs.api.shapes import Shape
from runs.models import Run, RunStatus

TRANSITIONS_SHOWN = 100


class TellFlow(Body):
    """A message to the agents of a running flow."""

    text: str = Field(min_length=1, max_length=MOST_CHARACTERS)
    policy: Policy | None = Field(None, description="Without it the flow's own, `interventions`.")
    idempotency_key: Key | None = Field(None, description="The same key again is the same message.")


class ContinueFlow(Body):
    """Let a flow go on that waits in single-step mode."""

    mode: Mode = Field("step", description="`step`: the next step only; `run`: to the end.")


class SingleStepFlow(Body):
    """Whether the flow waits before each further step."""

    on: bool


class MessageShape(Shape):
    """What somebody told the agents."""

    id: int
    text: str
    policy: Policy
    delivery: Literal["waiting", "delivered", "missed"] = Field(description="`missed`: the run ended before.")
    iteration: int | None = Field(description="In whose instruction it stood first.")
    actor: dict[str, Any]
    created_at: datetime


class NodeShape(Shape):
    """A step, or one of the ends COMPLETE and ABORT."""

    name: str
    kind: Literal["agent", "parallel", "flow", "python", "person", "end"]
    subs: list[str]


class EdgeShape(Shape):
    """A way from a step to the next. `rule_index` counts from 0."""

    source: str
    target: str
    label: str
    rule_index: int | None
    kind: Literal["rule", "default", "next", "return", "monitor"]


class GraphShape(Shape):
    nodes: list[NodeShape]
    edges: list[EdgeShape]
    initial: str


class SubStepShape(Shape):
    name: str
    status: str
    condition: str | None = Field(description="Of the rule that it matched.")


class TakenShape(Shape):
    """How often one step followed another."""

    source: str
    target: str
    count: int


class FlowRunShape(Shape):
    """Where a run of a flow stands."""

    run_id: UUID
    flow: str
    status: RunStatus
    graph: GraphShape | None = Field(description="Null where the definition is gone.")
    current: str | None = Field(description="The step under way or, if `is_chosen`, the one that comes next.")
    is_chosen: bool
    iteration: int
    path: list[str] = Field(description="The step of each iteration.")
    visits: dict[str, int]
    taken: list[TakenShape]
    subs: list[SubStepShape] = Field(description="Sub-steps of the newest iteration.")
    transitions: list[dict[str, Any]] = Field(
        description=f"Data of the newest {TRANSITIONS_SHOWN} `flow:transition` events, in order: how each was chosen."
    )
    interrupts: bool = Field(description="Whether the flow lets a message interrupt an agent at work.")
    single_step: bool
    waits_before: int | None = Field(description="The iteration that waits for somebody to let it begin.")
    messages: list[MessageShape]


def shape_of(run: Run) -> dict[str, Any]:
    """A few queries."""
    flow = definition_of(run)
    progress, steered = progress_of_run(run, flow), read_steering(run)
    taken = [{"source": source, "target": target, "count": count} for (source, target), count in progress.taken.items()]
    return FlowRunShape.model_validate({
        "run_id": run.id, "flow": flow.name if flow is not None else run.labels.get("flow", ""), "status": run.status,
        "graph": asdict(graph_of(flow)) if flow is not None else None, "current": progress.current,
        "is_chosen": progress.is_chosen, "iteration": progress.iteration, "path": list(progress.path),
        "visits": dict(progress.visits), "taken": taken, "subs": [asdict(one) for one in progress.subs],
        "transitions": transitions_of(run, TRANSITIONS_SHOWN),
        "interrupts": flow is not None and flow.interventions == "interrupt", "single_step": steered.single_step,
        "waits_before": steered.waits_before, "messages": [asdict(one) for one in steered.messages],
    }).as_json()  # fmt: skip


def message_of(told: Told) -> dict[str, Any]:
    return MessageShape.model_validate(asdict(told)).as_json()
