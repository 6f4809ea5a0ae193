"""What steps give and runs return: result items, as JSON all the way."""

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


def items_of(recorded: Any) -> list[dict[str, Any]]:
    """The items in what an engine step recorded: one, or a list of them."""
    if isinstance(recorded, dict):
        return [recorded]
    return list(recorded or [])
