"""What steps give and runs return: result items, as JSON all the way."""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict

CONTENT_TYPES = {
    "text": "text/plain",
    "markdown": "text/markdown",
    "json": "application/json",
    "image": "image/png",
    "embedding": "application/json",
    "table": "application/json",
    "binary": "application/octet-stream",
}


class ResultItem(BaseModel):
    """One result of a step.

    `kind` is the step's output_type. `data`: of text and markdown `{"text", "source_kind"?, "source"?}`, of json the
    value, of a table `{"columns", "rows"}`, of an embedding `{"vector", "model"}`, of images and binaries
    `{"media_type", "base64"}`.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    label: str
    step_id: str
    shard_key: str | None = None
    kind: str
    tag: str | None = None
    content_type: str
    data: Any = None
    is_primary: bool = False


def texts_of(output: Any) -> list[tuple[str, str]]:
    """What a pipeline's output says, as (label, text), tables in Markdown; nothing for what is no such output."""
    items = output.get("items") if isinstance(output, dict) and "meta" in output else None
    if not isinstance(items, list):
        return []
    found = [(str(item.get("label")), _text(item.get("data"))) for item in items if isinstance(item, dict)]
    return [(label, text) for label, text in found if text]


def _text(data: Any) -> str:
    if not isinstance(data, dict):
        return ""
    if isinstance(data.get("columns"), list) and isinstance(data.get("rows"), list):
        lines = [data["columns"], ["---"] * len(data["columns"]), *data["rows"]]
        return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)
    return str(data["text"]) if isinstance(data.get("text"), str) else ""


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.replace("|", "\\|").replace("\n", " ")


def items_of(recorded: Any) -> list[dict[str, Any]]:
    """The items in what an engine step recorded: one, or a list of them. A fork may have put anything there."""
    found = recorded if isinstance(recorded, list) else [recorded]
    return [item for item in found if isinstance(item, dict)]
