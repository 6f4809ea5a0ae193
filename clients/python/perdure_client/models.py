"""What the server answers. Fields that a newer server adds are kept as extra attributes."""

from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

ENDED = ("completed", "failed", "cancelled")


class Model(BaseModel):
    model_config = ConfigDict(extra="allow", populate_by_name=True)


class Limit(Model):
    """A warning at `soft`, a question at `hard`."""

    soft: float
    hard: float


class Budget(Model):
    """What a run with its children may spend, by tokens, cost, steps and active_seconds, and has spent."""

    budget_of: UUID
    limits: dict[str, Limit]
    granted: dict[str, float]
    spent: dict[str, float]
    parked: str


class Run(Model):
    """One durable execution of a job."""

    id: UUID
    job: str
    job_version: str
    status: str
    reason: str
    input: Any
    output: Any
    error: dict[str, Any] | None
    progress: dict[str, Any] | None
    labels: dict[str, str]
    queue: str
    priority: int
    attempt: int
    last_sequence: int
    owner: str | None
    team: str | None
    parent: UUID | None
    root: UUID | None
    forked_from: UUID | None
    idempotency_key: str | None
    concurrency_key: str | None
    created_at: datetime
    run_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    budget: Budget | None = None
    disposition: str | None = None
    """created, idempotent or coalesced; only of a start."""

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED


class Attempt(Model):
    """One invocation of a step's function."""

    number: int
    outcome: str
    started_at: datetime
    ended_at: datetime | None
    error: dict[str, Any] | None
    usage: dict[str, Any] | None


class Step(Model):
    """One named unit of a run."""

    name: str
    status: str
    attempts: int
    output: Any
    error: dict[str, Any] | None
    started_at: datetime | None
    finished_at: datetime | None
    history: list[Attempt] = []
    """Its attempts in order, but for one that succeeded at once and told of no usage."""


class Artifact(Model):
    """One version of a file that a run has saved; `size` in bytes, `digest` SHA-256."""

    name: str
    version: int
    media_type: str
    size: int
    digest: str
    step: str
    created_at: datetime


class Event(Model):
    """An event of a run. A stored one has `sequence`; a `stream` frame has `epoch` and `offset` in its place."""

    type: str
    run_id: UUID
    data: dict[str, Any] | Any
    step: str | None = None
    attempt: int | None = None
    sequence: int | None = None
    epoch: int | None = None
    offset: int | None = None
    created_at: datetime | None = None


class Signal(Model):
    """A durable message to a run."""

    id: int
    kind: str
    name: str
    payload: Any
    idempotency_key: str | None
    actor: dict[str, Any]
    created_at: datetime
    consumed_by: str | None
    consumed_at: datetime | None
    disposition: str | None = None


class Job(Model):
    """A job that runs can be started of."""

    name: str
    version: str
    description: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]
    retries: dict[str, Any]
    timeout_seconds: float | None
    queue: str
    budget: dict[str, Limit] | None = None
    queries: list[dict[str, Any]]
    updates: list[dict[str, Any]]


class Answer(Model):
    """What one person decided."""

    by: str
    decision: str
    value: Any
    changes: list[Any]
    comment: str
    at: datetime


class Question(Model):
    """What a run asks people."""

    id: UUID
    run: UUID
    step: str
    kind: str
    title: str
    body: str
    schema_: dict[str, Any] | None = Field(alias="schema")
    choices: list[Any]
    context: Any
    status: str
    to: list[str]
    quorum: int
    starter_may_answer: bool
    answers: list[Answer]
    outcome: dict[str, Any] | None
    digest: str
    deadline: datetime | None
    reminded_at: datetime | None
    escalate_to: list[str]
    escalate_at: datetime | None
    escalated_at: datetime | None
    created_at: datetime
    closed_at: datetime | None


T = TypeVar("T", bound=Model)


class Page(Model, Generic[T]):
    """A part of a list; `next` is the address of the following one."""

    results: list[T]
    next: str | None
    previous: str | None


class StreamLine(Model):
    """A line of a pipeline job's stream. `provider_chunk` and `stream_reset` repeat the number of the line before."""

    seq: int
    event: str
    job_id: str
    data: Any


class ResultItem(Model):
    """What a step of a pipeline gave."""

    id: str
    label: str
    step_id: str
    kind: str
    content_type: str
    data: Any
    shard_key: str | None = None
    tag: str | None = None
    is_primary: bool = False


class JobError(Model):
    """Why a pipeline's job or one of its steps has failed."""

    code: str
    message: str
    details: dict[str, Any] | None = None


class StepExecution(Model):
    """Where a step of a pipeline's job stands."""

    step_id: str
    name: str
    kind: str
    status: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: JobError | None = None
    shards_done: int = 0


class JobResult(Model):
    """What a pipeline exported."""

    items: list[ResultItem]
    meta: dict[str, Any] | None = None


class PipelineJob(Model):
    """One durable execution of a pipeline."""

    id: str
    pipeline_type: str
    pipeline_version: str
    status: str
    reason: str = ""
    mode: str = "async"
    created_at: datetime
    updated_at: datetime
    input: dict[str, Any] | None = None
    result: JobResult | None = None
    error: JobError | None = None
    step_executions: list[StepExecution]
    parent_job_id: str | None = None
    rerun_from_step: str | None = None
    reuse_upstream: bool = False

    @property
    def has_ended(self) -> bool:
        return self.status in ("succeeded", "failed", "cancelled")


class PipelineJobPage(Model):
    """A part of the jobs, newest first; `next` is the address of the following one."""

    jobs: list[PipelineJob]
    next: str | None
    previous: str | None


class Pipeline(Model):
    """A pipeline that can be run, in its newest version."""

    type: str
    version: str
    title: str
    description: str
    steps: list[dict[str, Any]]
    parallel: int
    on_failure: str
    budget: dict[str, Any] | None
    versions: list[str]


class Metrics(Model):
    """Of the model calls of the newest jobs, by kind of provider; latencies in milliseconds."""

    provider_call_count: dict[str, int]
    provider_call_latency: dict[str, float]
    provider_call_errors: dict[str, int]
    provider_chunk_count: dict[str, int]
    jobs: int
