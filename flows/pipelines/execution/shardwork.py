"""One shard of a step, by its kind."""

from collections.abc import Awaitable, Callable
from typing import Any

from flows.llm.errors import TooManyTurns
from flows.llm.registered import NotRegistered
from flows.llm.tools.errors import InvalidTool
from flows.pipelines.errors import TemplateRefused, UnusableOutput
from flows.pipelines.execution import computed, modelled, tooled
from flows.pipelines.execution.failures import fail
from flows.pipelines.execution.scene import Scene
from flows.pipelines.naming import result_name
from flows.pipelines.results import items_of
from flows.pipelines.shards import Shard
from flows.pipelines.spec import StepDef, StepKind
from hitl.errors import QuestionExpired
from runs.errors import StepFailed

Items = list[dict[str, Any]]

_KINDS: dict[StepKind, Callable[[Scene, StepDef, Shard], Awaitable[Items]]] = {
    StepKind.LLM: modelled.answered,
    StepKind.IMAGE: modelled.drawn,
    StepKind.MAP: computed.mapped,
    StepKind.REDUCE: computed.reduced,
    StepKind.CUSTOM: computed.custom,
    StepKind.TOOL: tooled.called,
}


REFUSALS = (TemplateRefused, NotRegistered, UnusableOutput, TooManyTurns, InvalidTool, QuestionExpired)
"""What may be wrong with a step in the job's own code. What ends the driving is never among them."""


async def perform(scene: Scene, step: StepDef, shard: Shard) -> Items:
    """The items of a shard, recorded. Raises StepFailed: also where nothing could be tried, as with a bad template."""
    async with scene.places:
        try:
            return await (modelled.embedded if step.is_embedding else _KINDS[step.kind])(scene, step, shard)
        except StepFailed:
            raise
        except REFUSALS as exc:
            return items_of(await fail(scene, result_name(step.id, shard.index), exc))
