"""What the server answers. Fields that a newer server adds are kept as extra attributes."""

from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

ENDED = ("completed", "failed", "cancelled")


class Model(BaseModel):
    model_config = ConfigDict(extra="allow", populate_by_name=True)


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
    is_primary: bool | None = None


class StepExecution(Model):
    """How far a step of a pipeline is."""

    step_id: str
    status: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: Any = None


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
    created_at: datetime
    updated_at: datetime
    input: Any
    result: JobResult | None = None
    error: dict[str, Any] | None = None
    step_executions: list[StepExecution]
    parent_job_id: str | None = None
    mode: str | None = None
    rerun_from_step: str | None = None
    reuse_upstream: bool | None = None

    @property
    def has_ended(self) -> bool:
        return self.status in ("succeeded", "failed", "cancelled")
