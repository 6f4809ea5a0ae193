"""A pipeline as data: what a document may say. How its parts fit together is checked in `validation`."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_STEPS = 200
MAX_TEMPLATE = 64 * 1024

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$", max_length=64)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Template = Annotated[str, Field(max_length=MAX_TEMPLATE)]


class StepKind(StrEnum):
    LLM = "llm"  # a model's answer
    IMAGE = "image"  # a model's picture
    MAP = "map"  # a template or expression for each item, without a model
    REDUCE = "reduce"  # one result of all items, without a model
    TOOL = "tool"  # a registered tool, called with arguments from templates
    CUSTOM = "custom"  # a function registered with @pipeline_step


class Mode(StrEnum):
    SINGLE = "single"  # once
    FANOUT = "fanout"  # once for each source
    PER_ITEM = "per_item"  # once for each item of the steps it depends on


class OutputType(StrEnum):
    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"
    IMAGE = "image"
    EMBEDDING = "embedding"
    TABLE = "table"
    BINARY = "binary"


class OutputFormat(StrEnum):
    TEXT = "text"
    JSON_STRICT = "json_strict"  # nothing but JSON, valid against the schema; else the model is asked again
    JSON_LOOSE = "json_loose"  # the first JSON that is found in the text


class OnFailure(StrEnum):
    FAIL = "fail"  # the run fails, once the steps that do not depend on this one have ended
    SKIP = "skip"  # shards that failed are left out; with none left the steps that depend on it are skipped
    CONTINUE = "continue"  # as skip, but the steps that depend on it run with what there is


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class PromptTemplate(_Part):
    """Jinja templates for what a model is told (`system`) and asked (`user`)."""

    system: Template = ""
    user: Template = ""


class CheckpointDef(_Part):
    """What people are asked after the step, before the steps that depend on it begin."""

    title: Annotated[str, Field(max_length=150)] = ""
    body: Template = ""
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    to: list[Name] = []
    starter_may_answer: bool = True


class StepDef(_Part):
    """One step of a pipeline."""

    id: Identifier
    name: Annotated[str, Field(max_length=200)] = ""
    kind: StepKind = StepKind.LLM
    mode: Mode = Mode.SINGLE
    depends_on: list[Identifier] = []
    provider_profile_id: str | None = None
    provider_override: dict[str, Any] | None = None
    prompt: PromptTemplate | None = None
    output_type: OutputType = OutputType.TEXT
    output_format: OutputFormat | None = None
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    config: dict[str, Any] = {}
    export: bool | None = None
    export_tag: Annotated[str, Field(max_length=200)] = ""
    when: Annotated[str, Field(max_length=4096)] = ""
    retries: Annotated[int, Field(ge=1, le=100)] | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=7 * 24 * 3600)] | None = None
    on_failure: OnFailure | None = None
    checkpoint: bool | CheckpointDef = False
    tool: str | None = None
    function: str | None = None
    approve: Literal["all", "listed", "none"] = "listed"

    @model_validator(mode="before")
    @classmethod
    def _type_of_images(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("kind") == "image" and "output_type" not in data:
            return data | {"output_type": "image"}
        return data

    @property
    def is_embedding(self) -> bool:
        """A model is asked for a vector, not for an answer."""
        return self.kind is StepKind.LLM and self.output_type is OutputType.EMBEDDING

    @property
    def title(self) -> str:
        """What people call the step."""
        return self.name or self.id

    @property
    def format(self) -> OutputFormat:
        """The format in force: JSON is strict where a schema says what it must be."""
        if self.output_format is not None:
            return self.output_format
        if self.output_type not in (OutputType.JSON, OutputType.TABLE):
            return OutputFormat.TEXT
        return OutputFormat.JSON_STRICT if self.schema_ else OutputFormat.JSON_LOOSE

    @property
    def asked_afterwards(self) -> CheckpointDef | None:
        """What its checkpoint asks; None without one."""
        if isinstance(self.checkpoint, CheckpointDef):
            return self.checkpoint
        return CheckpointDef() if self.checkpoint else None


class PipelineDef(_Part):
    """A DAG of steps. `type` names it, `version` tells what a run is of."""

    type: Identifier
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
    title: Annotated[str, Field(max_length=200)] = ""
    description: Annotated[str, Field(max_length=10_000)] = ""
    parallel: Annotated[int, Field(ge=1, le=100)] = 8
    on_failure: OnFailure = OnFailure.FAIL
    budget: dict[str, Any] | None = None
    steps: Annotated[list[StepDef], Field(min_length=1, max_length=MAX_STEPS)]

    def step(self, step_id: str) -> StepDef | None:
        """The step of this id, if there is one."""
        return next((step for step in self.steps if step.id == step_id), None)

    def policy_of(self, step: StepDef) -> OnFailure:
        """What a failure of the step means."""
        return step.on_failure or self.on_failure

    def exports(self, step: StepDef) -> bool:
        """Are its items part of the run's output? Where no step says so, those nobody depends on are."""
        if any(one.export is not None for one in self.steps):
            return bool(step.export)
        return not any(step.id in one.depends_on for one in self.steps)

    def is_primary(self, step: StepDef) -> bool:
        """Are its items what the pipeline is for? Those of the last step that is exported."""
        exported = [one.id for one in self.steps if self.exports(one)]
        return bool(exported) and exported[-1] == step.id
