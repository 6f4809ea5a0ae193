"""Agent flows started over the workflow API, by their names."""

import functools
from collections.abc import Mapping
from typing import Any

from flows.agents import catalogue
from flows.agents.errors import FlowNotFound
from flows.agents.starting import start
from runs.errors import InvalidOption
from runs.jobs import Begin


def flow_named(name: str, given: Mapping[str, Any]) -> Begin | None:
    """How a flow is begun; None where there is none of that name. `projectId` is the folder of its workspace,
    `maxIterations` tightens its `max_steps`; which models answer its personas say. Raises InvalidOption."""
    try:
        flow = catalogue.find(name)
    except FlowNotFound:
        return None
    task = given.get("task", "")
    if not isinstance(task, str):
        raise InvalidOption("task", "is no text", "An agent flow takes its task as text.")
    metadata = given.get("metadata") or {}
    if metadata.get("llmConfig"):
        raise InvalidOption("llmConfig", "is given to an agent flow", "Its personas name their models; leave it out.")
    return functools.partial(
        start, flow, task, folder=given.get("projectId") or "", max_steps=metadata.get("maxIterations")
    )
