"""A step's checkpoint: people are asked before the steps that depend on it begin."""

from typing import Any

from flows.pipelines.errors import TemplateRefused
from flows.pipelines.execution.failures import fail
from flows.pipelines.execution.scene import Scene
from flows.pipelines.naming import part_name
from flows.pipelines.shards import Shard
from flows.pipelines.spec import StepDef
from flows.pipelines.templates.rendering import render
from hitl.questions import ask

QUESTION = "question"

DEFAULT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "note": {"type": "string", "title": "Note", "description": "For the next steps; it may stay empty."}
    },
    "additionalProperties": False,
}
_SHOWN_ITEMS = 20
_SHOWN_CHARACTERS = 2000


async def ask_afterwards(scene: Scene, step: StepDef) -> None:
    """What people submit is `answers.<step id>` in the templates of the steps that depend on this one."""
    asked = step.asked_afterwards
    if asked is None:
        return
    name = part_name(step.id, None, QUESTION)
    values = scene.values_for(step, Shard(None, None, step.title))
    try:
        body = render(asked.body, values) if asked.body else ""
    except TemplateRefused as exc:
        await fail(scene, name, exc)
        raise
    outcome = await ask(
        scene.step, asked.title or f"{step.title[:100]}: go on?", name=name, kind="input",
        schema=asked.schema_ or DEFAULT_SCHEMA, to=asked.to, starter_may_answer=asked.starter_may_answer, body=body,
        context={"results": _shown(scene.items[step.id])},
    )  # fmt: skip
    scene.answers[step.id] = outcome.value


def _shown(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"label": item["label"], "result": _shortened(item["data"])} for item in items[:_SHOWN_ITEMS]]


def _shortened(data: Any) -> Any:
    text = data.get("text") if isinstance(data, dict) else None
    if isinstance(text, str):
        return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + " …"
    shown = str(data)
    return data if len(shown) <= _SHOWN_CHARACTERS else shown[:_SHOWN_CHARACTERS] + " …"
