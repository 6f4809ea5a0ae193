"""Steps of kind tool: one call of a registered tool, with arguments from templates, approved where that is needed."""

import inspect
import re
from collections.abc import Mapping
from typing import Any

from flows.llm.tools.approval import Approval, decide
from flows.llm.tools.calls import CurrentCall, entered
from flows.llm.tools.definition import Tool
from flows.pipelines.errors import ToolCallDenied
from flows.pipelines.execution.failures import fail
from flows.pipelines.execution.scene import Scene
from flows.pipelines.forks import PLAN
from flows.pipelines.naming import part_name, result_name
from flows.pipelines.outputs import made_item
from flows.pipelines.registry import tool_of
from flows.pipelines.results import items_of
from flows.pipelines.shards import Shard
from flows.pipelines.spec import StepDef
from flows.pipelines.templates.rendering import evaluate, render
from flows.pipelines.templates.values import plain
from providers.messages import ToolCall

_ALONE = re.compile(r"\s*\{\{(.+)\}\}\s*", re.DOTALL)


async def called(scene: Scene, step: StepDef, shard: Shard) -> list[dict[str, Any]]:
    """The result of the call. Raises StepFailed, also where people deny it."""
    tool, name = tool_of(step.tool or ""), result_name(step.id, shard.index)
    call = ToolCall(id=name, name=tool.name, arguments=arguments_of(step, scene.values_for(step, shard)))
    arguments = call.arguments
    if await _needs_approval(scene, step, shard, tool, arguments):
        asked = part_name(step.id, shard.index, "approval")
        decision = await decide(scene.step, asked, tool, call, Approval(calls="all", starter_may_answer=False))
        if decision.arguments is None:
            return items_of(await fail(scene, name, ToolCallDenied(tool.name, decision.reason)))
        arguments = decision.arguments
    policy = scene.step.options(retries=step.retries or tool.retries, timeout=scene.timeout_of(step) or tool.timeout)
    return items_of(await policy.run(name, _work(scene, step, shard, tool, arguments)))


def arguments_of(step: StepDef, values: Mapping[str, Any]) -> dict[str, Any]:
    """`config.arguments` with its templates filled in. Raises TemplateRefused."""

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(part) for key, part in value.items()}
        if isinstance(value, list):
            return [filled(part) for part in value]
        if not isinstance(value, str):
            return value
        alone = _ALONE.fullmatch(value)
        if alone and "}}" not in alone[1] and "{{" not in alone[1]:
            return plain(evaluate(alone[1].strip(" -+\n\t"), values))
        return render(value, values)

    made: dict[str, Any] = filled(step.config.get("arguments", {}))
    return made


async def _needs_approval(scene: Scene, step: StepDef, shard: Shard, tool: Tool, arguments: dict[str, Any]) -> bool:
    if step.approve != "listed":
        return step.approve == "all"
    wanted = tool.needs_approval
    if isinstance(wanted, bool):
        return wanted
    needs: bool = await scene.step.run(part_name(step.id, shard.index, PLAN), _asked, wanted, tool, arguments)
    return needs


async def _asked(wanted: Any, tool: Tool, arguments: dict[str, Any]) -> bool:
    """Recorded, so that a replay asks as before. Arguments that do not fit are nobody's to approve."""
    found = wanted(tool.signature.parse(arguments))
    return bool(await found if inspect.isawaitable(found) else found)


def _work(scene: Scene, step: StepDef, shard: Shard, tool: Tool, arguments: dict[str, Any]) -> Any:
    name = result_name(step.id, shard.index)
    current = CurrentCall(scene.step.run_id, name, tool.name, name)

    async def in_loop() -> dict[str, Any]:
        with entered(current):
            return made_item(scene.made, step, shard, await tool.function(**tool.signature.parse(arguments)))

    def in_thread() -> dict[str, Any]:
        with entered(current):
            return made_item(scene.made, step, shard, tool.function(**tool.signature.parse(arguments)))

    return in_loop if tool.is_async else in_thread
