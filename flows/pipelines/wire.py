"""What the pipeline API shows: jobs, their steps, results, and the lines of a stream. Shapes only, no database."""

from datetime import datetime
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from flows.pipelines.results import ResultItem

JobStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]
StepState = Literal["pending", "running", "success", "failed", "skipped", "cancelled"]
LineEvent = Literal[
    "job_queued", "job_started", "job_status", "job_completed", "job_failed", "job_cancelled", "step_started",
    "step_completed", "step_failed", "step_cancelled", "item_completed", "provider_chunk", "stream_reset",
    "stream_finished",
]  # fmt: skip

JOB_STATUSES, STEP_STATES, LINE_EVENTS = get_args(JobStatus), get_args(StepState), get_args(LineEvent)


class Wire(BaseModel):
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    def as_json(self) -> dict[str, Any]:
        """JSON values; times in RFC 3339, UTC, ending in Z."""
        return self.model_dump(mode="json")


class JobError(Wire):
    """Why a job or a step has failed."""

    code: str = Field(description="step_failed, cancelled, or the code of the failure.")
    message: str
    details: dict[str, Any] | None = None


class JobResult(Wire):
    """What a job has given: the items of its exporting steps."""

    items: list[ResultItem]
    meta: dict[str, Any] | None = None


class StepExecution(Wire):
    """Where a step of a job stands."""

    step_id: str
    name: str
    kind: str
    status: StepState
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: JobError | None = None
    shards_done: int = Field(0, description="Parts of a fan-out that have ended; of a single step 0 or 1.")


class PipelineJob(Wire):
    """One durable execution of a pipeline. In the lines of a stream it is the job as it was then."""

    id: str = Field(description="32 hexadecimal digits: the id of its run without hyphens.")
    pipeline_type: str
    pipeline_version: str
    status: JobStatus
    reason: str = Field("", description="What it waits for, or why it is paused.")
    mode: str = Field("async", description="sync, async, or rerun.")
    created_at: datetime
    updated_at: datetime
    input: dict[str, Any] | None = Field(None, description="Lines of a stream: in the first and the last only.")
    result: JobResult | None = Field(None, description="Of a job that succeeded.")
    error: JobError | None = None
    step_executions: list[StepExecution]
    parent_job_id: str | None = Field(None, description="The job that this one is a rerun of.")
    rerun_from_step: str | None = None
    reuse_upstream: bool = False


class StepChunk(Wire):
    """A piece of text that a model has just written; the next attempt of its step begins anew."""

    step_id: str
    shard_key: str | None
    attempt: int
    index: int = Field(description="Its place among all frames of the attempt, from 0.")
    content: str


class StreamReset(Wire):
    """What was streamed of this part of a step so far is discarded: the text begins anew."""

    step_id: str
    shard_key: str | None
    attempt: int


class StreamLine(Wire):
    """One line of a job's stream.

    `seq` counts from 1 without gaps and is the same for every reader. A `provider_chunk` and a `stream_reset` are
    passing: they carry the number of the line before them.
    """

    seq: int
    event: LineEvent
    job_id: str
    data: PipelineJob | StepExecution | ResultItem | StepChunk | StreamReset
