"""The one job of all agent flows."""

from typing import Any
from uuid import UUID

from flows.agents import catalogue, permit, stored
from flows.agents.errors import ScenarioNotAllowed
from flows.agents.execution import steering
from flows.agents.execution.loop import Loop
from flows.agents.execution.scene import Scene
from flows.agents.execution.state import FlowState
from flows.agents.naming import READ_DEFINITION
from flows.agents.performing.sessions import Sessions
from flows.agents.run_input import FlowInput
from flows.agents.script import Script
from flows.agents.spec import Flow
from flows.agents.starting import budget_of
from flows.agents.told import told_of
from flows.agents.workspaces.workspace import close_workspace, open_workspace
from runs.jobs import RunView, StepContext, job


@job("agent-flow", on_end=close_workspace, budget_of=budget_of)
async def agent_flow(step: StepContext, wanted: FlowInput) -> dict[str, Any]:
    """Run an agent flow: steps written in YAML that agents do, with rules that choose the next step."""
    read = await step.run(READ_DEFINITION, read_definition, step.run_id, wanted)
    if permit.digest_of(wanted.scenario) != read.get("scenario"):
        raise ScenarioNotAllowed  # of a fork, which keeps what was read
    flow = Flow.model_validate(read["flow"])
    scene = Scene(
        step, flow, wanted, FlowState(max_steps=_tighter(flow.max_steps, wanted.max_steps)),
        script=Script.of(wanted.scenario), sessions=Sessions(wanted.sessions), definitions=read["definitions"],
    )  # fmt: skip
    scene.folder = await open_workspace(scene)
    return await Loop(scene).run()


steering.attach(agent_flow)


@agent_flow.query(name="flow")  # type: ignore[untyped-decorator]
def flow_told(view: RunView) -> dict[str, Any]:
    """Where the run stands: its iterations, the path it took, and how each transition was chosen."""
    return told_of(view)


def read_definition(run_id: UUID, wanted: FlowInput) -> dict[str, Any]:
    """The documents that the run is pinned to; a run that was started without a digest takes the newest now.

    With the digest of its scenario, where it may have one. Raises ScenarioNotAllowed, FlowNotFound.
    """
    scenario = permit.checked(run_id, wanted.scenario, wanted.scenario_key)
    if wanted.definition:
        return {
            "flow": stored.pinned(wanted.definition), "definitions": wanted.definitions, "scenario": scenario,
        }  # fmt: skip
    made = catalogue.find(wanted.flow, wanted.version or None)
    pins = stored.pin_all(made)
    return {"flow": stored.pinned(pins.pop(made.name)), "definitions": pins, "scenario": scenario}


def _tighter(own: int | None, wanted: int | None) -> int | None:
    return min((one for one in (own, wanted) if one is not None), default=None)
