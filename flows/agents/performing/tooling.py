"""What an agent may call in a step: the tools that its step allows, as far as its permission reaches.

All of it is decided by the flow and the settings: nothing that a model says makes its permission larger.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from flows.agents.calls import AgentCall, Scene
from flows.agents.registry import CLAUDE_NAMES, Level, level_of
from flows.agents.spec import Permission, Step
from flows.agents.workspaces.opening import place_of
from flows.llm.tools.approval import Approval
from flows.llm.tools.definition import NeedsApproval, Tool
from flows.llm.tools.local import web_tools, workspace_tools
from flows.llm.tools.registry import LOCAL, registered_tools

UNASKED: Final = {
    Permission.READONLY: (Level.READS,),
    Permission.ASK: (Level.READS,),
    Permission.EDIT: (Level.READS, Level.EDITS),
    Permission.FULL: (Level.READS, Level.EDITS, Level.RUNS),
}
"""What an agent does without asking people. All others but a read-only one may do the rest once people approve."""


def tools_of(call: AgentCall) -> list[Tool]:
    """What the model is handed. A step that names no tools has those of this machine, and apps' only when named."""
    permission = call.step.permitted
    return [
        replace(tool, needs_approval=_asks(tool, permission))
        for tool in _named(call.step, _there(call.scene))
        if permission is not Permission.READONLY or level_of(tool) is Level.READS
    ]


def approval_of(tools: Sequence[Tool]) -> Approval:
    """Who starts a flow may approve what its agents do in the workspace, but not calls of an app's tool that asks."""
    asking = [tool.name for tool in tools if tool.needs_approval is not False]
    return Approval(calls="listed", starter_may_answer=all(name in LOCAL for name in asking))


def _there(scene: Scene) -> dict[str, Tool]:
    """Tools that see files see those of the workspace alone, so a run without one has none of them."""
    find = partial(place_of, scene.step.run_id, scene.folder)
    local = [*(workspace_tools(scene.folder, find) if scene.folder else []), *web_tools()]
    return {tool.name: tool for tool in local}


def _named(step: Step, local: dict[str, Tool]) -> Iterable[Tool]:
    if step.allowed_tools is None:
        return local.values()
    found = local | registered_tools()
    names = dict.fromkeys(CLAUDE_NAMES.get(name, name) for name in step.allowed_tools)
    return [found[name] for name in names if name in found]


def _asks(tool: Tool, permission: Permission) -> NeedsApproval:
    """Whether people are asked about a call: each time for what the permission does not reach."""
    level = level_of(tool)
    if level not in UNASKED[permission]:
        return True
    if permission is Permission.FULL or level is not Level.READS:
        return False
    return tool.needs_approval
