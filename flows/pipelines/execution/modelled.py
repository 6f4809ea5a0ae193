"""Kinds that ask a model: its answer, a vector, a picture.

The call is recorded under the part `model` of the shard and never repeated; the item that is made of it is recorded
as the shard's result.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from flows.llm.chat import chat
from flows.llm.draw import draw
from flows.llm.embed import embed
from flows.pipelines.configs import EmbeddingConfig, ImageConfig, LlmConfig
from flows.pipelines.execution.failures import recorded_too
from flows.pipelines.execution.scene import Scene
from flows.pipelines.naming import part_name, result_name
from flows.pipelines.outputs import TABLE_SCHEMA, made_item
from flows.pipelines.registry import tool_of
from flows.pipelines.results import items_of
from flows.pipelines.shards import Shard
from flows.pipelines.spec import OutputFormat, OutputType, StepDef
from flows.pipelines.templates.rendering import render

PART = "model"


async def answered(scene: Scene, step: StepDef, shard: Shard) -> list[dict[str, Any]]:
    """What a model says, in the form that the step declares. Raises StepFailed."""
    config = LlmConfig.model_validate(step.config)
    system, user = _prompt(scene, step, shard)
    wanted = _wanted(step)

    async def ask(name: str) -> Any:
        result = await chat(
            scene.step, name, user, system=system or None, profile=step.provider_profile_id or "default",
            override=step.provider_override, model=config.model, output_type=wanted,
            max_tokens=config.max_tokens or _max_tokens(scene), temperature=config.temperature,
            tools=[tool_of(tool) for tool in config.tools], approve=step.approve, max_turns=config.max_turns,
            retries=step.retries, timeout=scene.timeout_of(step),
        )  # fmt: skip
        return result.text if wanted is None else result.output

    return await _made_of(scene, step, shard, ask)


async def embedded(scene: Scene, step: StepDef, shard: Shard) -> list[dict[str, Any]]:
    """The vector of the rendered prompt. Raises StepFailed."""
    config = EmbeddingConfig.model_validate(step.config)
    _, user = _prompt(scene, step, shard)

    async def ask(name: str) -> Any:
        found = await embed(
            scene.step, name, [user], profile=step.provider_profile_id or "default", override=step.provider_override,
            model=config.model, retries=step.retries, timeout=scene.timeout_of(step),
        )  # fmt: skip
        return {"vector": found.vectors[0], "model": found.model}

    return await _made_of(scene, step, shard, ask)


async def drawn(scene: Scene, step: StepDef, shard: Shard) -> list[dict[str, Any]]:
    """A picture of the rendered prompt. Raises StepFailed."""
    config = ImageConfig.model_validate(step.config)
    _, user = _prompt(scene, step, shard)

    async def ask(name: str) -> Any:
        found = await draw(
            scene.step, name, user, profile=step.provider_profile_id or "default", override=step.provider_override,
            model=config.model, size=config.size, retries=step.retries, timeout=scene.timeout_of(step),
        )  # fmt: skip
        picture = found.images[0]
        return {"media_type": picture.media_type, "base64": picture.data}

    return await _made_of(scene, step, shard, ask)


async def _made_of(
    scene: Scene, step: StepDef, shard: Shard, ask: Callable[[str], Awaitable[Any]]
) -> list[dict[str, Any]]:
    name = result_name(step.id, shard.index)
    async with recorded_too(scene, name):
        value = await ask(part_name(step.id, shard.index, PART))

    async def make() -> dict[str, Any]:
        return made_item(scene.made, step, shard, value, is_value=_wanted(step) is not None)

    return items_of(await scene.step.options(retries=1).run(name, make))


def _prompt(scene: Scene, step: StepDef, shard: Shard) -> tuple[str, str]:
    values = scene.values_for(step, shard)
    if step.prompt is None:
        return "", ""
    return render(step.prompt.system, values).strip(), render(step.prompt.user, values).strip()


def _wanted(step: StepDef) -> Any:
    """The type that the model is held to."""
    if step.format is not OutputFormat.JSON_STRICT:
        return None
    return TABLE_SCHEMA if step.output_type is OutputType.TABLE else step.schema_ or {}


def _max_tokens(scene: Scene) -> int | None:
    most = scene.options.get("max_tokens")
    return most if isinstance(most, int) and most > 0 else None
