"""What `config` may hold, by the kind of the step."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from flows.pipelines.spec import MAX_TEMPLATE, StepDef, StepKind

Expression = Annotated[str, Field(min_length=1, max_length=MAX_TEMPLATE)]


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LlmConfig(_Config):
    """Of a model's answer. `tools` are names of registered tools."""

    model: str | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    tools: list[str] = []
    max_turns: Annotated[int, Field(ge=1, le=100)] = 10


class EmbeddingConfig(_Config):
    """Of the vector of a text."""

    model: str | None = None


class ImageConfig(_Config):
    """Of a model's picture. `size` as in 1024x1024, as far as the vendor takes it."""

    model: str | None = None
    size: str | None = None


class MapConfig(_Config):
    """`expression` gives a value as it is; without it the template of `prompt.user` gives a text."""

    expression: Expression | None = None


class ReduceConfig(MapConfig):
    """`separator` stands between the texts that are joined where there is neither expression nor template.

    `columns` are those of a table that is made of objects, in order; without them all keys, sorted.
    """

    separator: str = "\n\n"
    columns: list[str] | None = None


class ToolConfig(_Config):
    """`arguments` of the call: texts in it are templates; one that is a single `{{ expression }}` keeps its type."""

    arguments: dict[str, Any] = {}


CONFIGS: dict[StepKind, type[_Config]] = {
    StepKind.LLM: LlmConfig,
    StepKind.IMAGE: ImageConfig,
    StepKind.MAP: MapConfig,
    StepKind.REDUCE: ReduceConfig,
    StepKind.TOOL: ToolConfig,
}


def config_class(step: StepDef) -> type[_Config] | None:
    """None for a custom step, whose function takes what it wants."""
    if step.is_embedding:
        return EmbeddingConfig
    return CONFIGS.get(step.kind)


def texts_in(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], str]]:
    """Every text in a JSON value, with its path."""
    if isinstance(value, str):
        return [(path, value)]
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, part in parts for found in texts_in(part, (*path, key))]
