"""Which agents CopilotKit's client is offered: all that there are, and `default`."""

from typing import Any

from perdure.agui.capabilities import all_targets, capabilities_of
from perdure.agui.conf import get_settings
from perdure.agui.errors import AgentNotFound
from perdure.agui.targets import Target, named

DEFAULT = "default"
"""The agent that its components ask for when the page names none."""


def get_agent(agent_id: str) -> Target:
    """A job that is exposed, or a pipeline. Raises AgentNotFound."""
    return named(get_settings().default_job if agent_id == DEFAULT else agent_id)


def agent_shapes() -> dict[str, dict[str, Any]]:
    """What /info tells of each, by its id."""
    found = {target.name: target for target in all_targets()}
    default = found.get(get_settings().default_job)
    return {
        agent_id: _shape(agent_id, target)
        for agent_id, target in (({DEFAULT: default} if default is not None else {}) | found).items()
    }


def id_of(given: object, name: str) -> str:
    """Under which id a thread's agent is told: the one it was asked by, if it is that agent's."""
    try:
        return given if isinstance(given, str) and get_agent(given).name == name else name
    except AgentNotFound:
        return name


def _shape(agent_id: str, target: Target) -> dict[str, Any]:
    capabilities = capabilities_of(target)
    described = capabilities.get("identity", {}).get("description", "")
    return {"name": agent_id, "description": described, "className": target.name, "capabilities": capabilities}
