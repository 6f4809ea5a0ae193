"""Kinds without a model: map, reduce and custom."""

import inspect
from collections.abc import Callable
from typing import Any

from flows.pipelines.execution.scene import Scene
from flows.pipelines.outputs import made_item
from flows.pipelines.registry import Item, Work, function_of
from flows.pipelines.shards import Shard
from flows.pipelines.spec import OutputType, StepDef
from flows.pipelines.templates.rendering import evaluate, render
from flows.pipelines.templates.values import as_json, plain

Result = dict[str, Any] | list[dict[str, Any]]


def mapped(scene: Scene, step: StepDef, shard: Shard) -> Callable[[], Any]:
    """Each shard by its expression, or its template."""

    async def compute() -> Result:
        return made_item(scene.made, step, shard, _computed(scene, step, shard))

    return compute


def reduced(scene: Scene, step: StepDef, shard: Shard) -> Callable[[], Any]:
    """All items in one: by expression or template, else joined as the output_type has it."""

    async def compute() -> Result:
        if step.prompt is None and "expression" not in step.config:
            return made_item(scene.made, step, shard, _together(scene, step))
        return made_item(scene.made, step, shard, _computed(scene, step, shard))

    return compute


def custom(scene: Scene, step: StepDef, shard: Shard) -> Callable[[], Any]:
    """A registered function; a plain one runs in a thread, as in any step."""
    function = function_of(step.function or "")
    values = scene.values_for(step, shard)

    def work() -> Work:
        prompt = render(step.prompt.user, values) if step.prompt else ""
        return Work(
            step_id=step.id, index=shard.index, source=shard.source, item=shard.item, items=scene.given_to(step),
            sources=scene.sources, options=scene.options, answers=values["answers"], config=step.config, prompt=prompt,
        )  # fmt: skip

    async def in_loop() -> Result:
        return _items(scene, step, shard, await function(work()))

    def in_thread() -> Result:
        return _items(scene, step, shard, function(work()))

    return in_loop if inspect.iscoroutinefunction(function) else in_thread


def _items(scene: Scene, step: StepDef, shard: Shard, value: Any) -> Result:
    if not isinstance(value, list) or not value or not all(isinstance(one, Item) for one in value):
        return made_item(scene.made, step, shard, value)
    return [
        made_item(scene.made, step, shard, one.data, label=one.label or f"{shard.label}#{place + 1}", place=place)
        for place, one in enumerate(value)
    ]


def _computed(scene: Scene, step: StepDef, shard: Shard) -> Any:
    values = scene.values_for(step, shard)
    if "expression" in step.config:
        return plain(evaluate(step.config["expression"], values))
    return render(step.prompt.user if step.prompt else "", values).strip()


def _together(scene: Scene, step: StepDef) -> Any:
    data = [item["data"] for items in scene.given_to(step).values() for item in items]
    if step.output_type is OutputType.JSON:
        return [one["text"] if isinstance(one, dict) and set(one) >= {"text"} else one for one in data]
    if step.output_type is OutputType.TABLE:
        return _rows(data)
    separator = str(step.config.get("separator", "\n\n"))
    return separator.join(_text(one) for one in data)


def _rows(data: list[Any]) -> list[Any]:
    rows: list[Any] = []
    for one in data:
        if isinstance(one, dict) and set(one) >= {"columns", "rows"}:
            rows += [dict(zip(one["columns"], row, strict=False)) for row in one["rows"]]
        else:
            rows += one if isinstance(one, list) else [one]
    return rows


def _text(data: Any) -> str:
    return str(data["text"]) if isinstance(data, dict) and "text" in data else as_json(data)
