"""What an agent can do, in the protocol's words: frontends show or hide by it."""

from typing import Any

from ag_ui.core import AgentCapabilities

from flows.agents import catalogue as flow_catalogue
from flows.pipelines import catalogue
from perdure.agui.conf import get_settings
from perdure.agui.errors import AgentNotFound
from perdure.agui.targets import Target, named, takes_conversation
from runs.definitions import Job
from runs.jobs import all_jobs

JSON = "application/json"


def shown_capabilities(name: str | None) -> dict[str, Any]:
    """Of one agent, or of all: `{defaultAgent, agents: {name: capabilities}}`. Raises AgentNotFound."""
    if name is not None:
        return capabilities_of(named(name))
    return {
        "defaultAgent": get_settings().default_job,
        "agents": {one.name: capabilities_of(one) for one in all_targets()},
    }


def all_targets() -> list[Target]:
    """Every agent, by name: jobs that are exposed in the version that new runs get, pipelines, and exposed flows."""
    found = {job.name: named(job.name) for job in all_jobs() if job.agui and _is_there(job)}
    for made in catalogue.all_pipelines():
        found.setdefault(made.type, Target(pipeline=made))
    for flow in flow_catalogue.all_flows():
        if flow.agui:
            found.setdefault(flow.name, Target(flow=flow))
    return [found[name] for name in sorted(found)]


def capabilities_of(target: Target) -> dict[str, Any]:
    """What is left out is unknown, or depends on what the agent's own code does."""
    talks = target.job is not None and takes_conversation(target.job)
    description, version = _described(target)
    made = AgentCapabilities.model_validate(
        {
            "identity": {"name": target.name, "type": "perdure", "description": description, "version": version},
            "transport": {"streaming": True, "websocket": True, "httpBinary": False, "resumable": True},
            "tools": {"supported": True, "clientProvided": talks},
            "state": {"snapshots": True, "deltas": True, "memory": talks, "persistentState": True},
            "humanInTheLoop": {
                "supported": True, "approvals": True, "interventions": True, "interrupts": True,
                "approveWithEdits": True,
            },
        }
    )  # fmt: skip
    return made.model_dump(mode="json", by_alias=True, exclude_none=True)


def _described(target: Target) -> tuple[str, str]:
    if target.pipeline is not None:
        return target.pipeline.description, target.pipeline.version
    if target.flow is not None:
        return target.flow.description, target.flow.version
    assert target.job is not None
    return target.job.description.split("\n\n")[0], target.job.version


def _is_there(job: Job) -> bool:
    """A newer version may not be exposed any more."""
    try:
        return named(job.name).job is not None
    except AgentNotFound:
        return False
