"""What the doors of the pipeline API answer, beside the shapes of `flows.pipelines.wire`."""

from typing import Any

from pydantic import BaseModel, Field

from flows.pipelines.spec import PipelineDef
from flows.pipelines.wire import PipelineJob
from runs.api.shapes import Page, Shape


class JobBody(Shape):
    job: PipelineJob


class PipelineJobPage(Shape):
    """Jobs, newest first."""

    jobs: list[PipelineJob]
    next: str | None = Field(description="Address of the next page.")
    previous: str | None


class PipelineShape(Shape):
    """A pipeline that can be run, in its newest version."""

    type: str
    version: str
    title: str
    description: str
    steps: list[dict[str, Any]] = Field(description="As in the definition, with every default written out.")
    parallel: int
    on_failure: str
    budget: dict[str, Any] | None
    versions: list[str] = Field(description="All that can be run, the newest last.")

    @classmethod
    def of(cls, made: PipelineDef, versions: list[PipelineDef]) -> "PipelineShape":
        document = made.model_dump(mode="json", by_alias=True)
        return cls(**document, versions=[one.version for one in versions])


class PipelinePage(Page[PipelineShape]):
    """Every pipeline, by type."""


class PipelineList(Shape):
    pipelines: list[PipelineShape]


class PipelineBody(Shape):
    pipeline: PipelineShape


class PipelineProblem(Shape):
    message: str
    path: str
    line: int = Field(description="From 1; 0 where there is no text to point at.")


class PipelineVerdict(Shape):
    """Whether a document is a pipeline, and if not, why."""

    valid: bool
    problems: list[PipelineProblem]
    type: str | None
    version: str | None


class PipelineMetrics(Shape):
    """Of the model calls that the newest jobs have made, by kind of provider."""

    provider_call_count: dict[str, int]
    provider_call_latency: dict[str, float] = Field(description="Mean, in milliseconds.")
    provider_call_errors: dict[str, int]
    provider_chunk_count: dict[str, int]
    jobs: int = Field(description="How many jobs these numbers are of: the newest that you may see.")


class V1ErrorDetail(BaseModel):
    code: str = Field(description="Stable; for programs.")
    message: str = Field(description="What is wrong and what to do.")
    details: dict[str, Any] = Field(default_factory=dict, description="Left out where there is nothing to add.")


class V1Error(BaseModel):
    """What every refusal of the pipeline API looks like."""

    error: V1ErrorDetail
