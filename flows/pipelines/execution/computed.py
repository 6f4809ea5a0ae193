"""Kinds without a model: map, reduce and custom."""

import inspect
from collections.abc import Callable
from typing import Any

from flows.pipelines.execution.scene import Scene
from flows.pipelines.naming import result_name
from flows.pipelines.outputs import made_item
from flows.pipelines.registry import Item, Work, function_of
from flows.pipelines.results import items_of
from flows.pipelines.shards import Shard
from flows.pipelines.spec import OutputType, StepDef
from flows.pipelines.templates.rendering import evaluate, render
from flows.pipelines.templates.values import as_json, plain

Result = dict[str, Any] | list[dict[str, Any]]


async def mapped(scene: Scene, step: StepDef, shard: Shard) -> list[dict[str, Any]]:
    """Each shard by its expression, or its template. Raises StepFailed."""

    async def compute() -> Result:
        return _computed(scene, step, shard)

    return await _recorded(scene, step, shard, compute)


async def reduced(scene: Scene, step: StepDef, shard: Shard) -> list[dict[str, Any]]:
    """All items in one: by expression or template, else joined as the output_type has it. Raises StepFailed."""

    async def compute() -> Result:
        if step.prompt is None and "expression" not in step.config:
            return made_item(scene.made, step, shard, _together(scene, step))
        return _computed(scene, step, shard)

    return await _recorded(scene, step, shard, compute)


async def custom(scene: Scene, step: StepDef, shard: Shard) -> list[dict[str, Any]]:
    """A registered function; a plain one runs in a thread, as in any step. Raises StepFailed, NotRegistered."""
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

    return await _recorded(scene, step, shard, in_loop if inspect.iscoroutinefunction(function) else in_thread)


async def _recorded(scene: Scene, step: StepDef, shard: Shard, compute: Callable[[], Any]) -> list[dict[str, Any]]:
    policy = scene.step.options(retries=step.retries, timeout=scene.timeout_of(step))
    return items_of(await policy.run(result_name(step.id, shard.index), compute))


def _items(scene: Scene, step: StepDef, shard: Shard, value: Any) -> Result:
    if not isinstance(value, list) or not value or not all(isinstance(one, Item) for one in value):
        return made_item(scene.made, step, shard, value)
    return [
        made_item(scene.made, step, shard, one.data, label=one.label or f"{shard.label}#{place + 1}", place=place)
        for place, one in enumerate(value)
    ]


def _computed(scene: Scene, step: StepDef, shard: Shard) -> dict[str, Any]:
    values = scene.values_for(step, shard)
    if "expression" in step.config:
        value = plain(evaluate(step.config["expression"], values))
        return made_item(scene.made, step, shard, value, is_value=True)
    return made_item(scene.made, step, shard, render(step.prompt.user if step.prompt else "", values).strip())


def _together(scene: Scene, step: StepDef) -> Any:
    data = [item["data"] for items in scene.given_to(step).values() for item in items]
    if step.output_type is OutputType.JSON:
        return [one["text"] if isinstance(one, dict) and set(one) >= {"text"} else one for one in data]
    if step.output_type is OutputType.TABLE:
        return _table(step, _rows(data))
    separator = str(step.config.get("separator", "\n\n"))
    return separator.join(_text(one) for one in data)


def _table(step: StepDef, rows: list[Any]) -> Any:
    """Objects as rows. A database may have changed the order of their keys, so it is never that one."""
    if not all(isinstance(row, dict) for row in rows):
        return rows
    columns = step.config.get("columns") or sorted({key for row in rows for key in row})
    return {"columns": columns, "rows": [[row.get(column) for column in columns] for row in rows]}


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
