"""What REST answers: the native shapes, which the OpenAPI document is made from."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, RootModel

from runs import jobs
from runs.models import Run, RunStatus, Signal, SignalKind, Worker


class Shape(BaseModel):
    model_config = ConfigDict(from_attributes=True, json_schema_serialization_defaults_required=True)

    def as_json(self) -> dict[str, Any]:
        """JSON values; times in RFC 3339, UTC, ending in Z."""
        return self.model_dump(mode="json")


class LimitShape(Shape):
    soft: float = Field(description="From here on there is a warning.")
    hard: float = Field(description="From here on no step begins until more is granted.")


class BudgetShape(Shape):
    """A budget: tokens, cost, steps, active_seconds, as far as they are limited."""

    budget_of: UUID = Field(description="The run whose budget it is: this one, or an ancestor whose children share it.")
    limits: dict[str, LimitShape] = Field(description="As they are now, with what was granted.")
    granted: dict[str, float]
    spent: dict[str, float] = Field(description="By that run and all its children.")
    parked: str = Field(description="The limit at which this run waits for more; empty: at none.")

    @classmethod
    def of(cls, state: jobs.BudgetState) -> "BudgetShape":
        return cls.model_validate(state)


class RunShape(Shape):
    """One durable execution of a job."""

    id: UUID
    job: str
    job_version: str
    status: RunStatus
    reason: str = Field(description="Why it waits or is paused.")
    input: Any = Field(description="Secrets are shown as ***.")
    output: Any
    error: dict[str, Any] | None = Field(description="type, message, traceback")
    progress: dict[str, Any] | None = Field(description="current, total, message")
    labels: dict[str, str]
    queue: str
    priority: int
    attempt: int
    last_sequence: int = Field(description="Number of its last event.")
    owner: str | None = Field(description="User name.")
    team: str | None = Field(description="Name of the team whose members see it.")
    parent: UUID | None
    root: UUID | None
    forked_from: UUID | None
    idempotency_key: str | None
    concurrency_key: str | None
    created_at: datetime
    run_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    budget: BudgetShape | None = Field(description="What it and its children may spend, and have spent.")

    @classmethod
    def of(cls, run: Run) -> dict[str, Any]:
        """`run` as JSON; its owner and team are read, so select them with it."""
        return cls.with_budget(run, jobs.budget_state(run) if run.budget_of is not None else None)

    @classmethod
    def of_many(cls) -> "tuple[Callable[[list[Run]], None], Callable[[Run], dict[str, Any]]]":
        """`prepare` and `shape` of a page: what its runs have spent is read together."""
        states: dict[UUID, jobs.BudgetState] = {}
        return lambda runs: states.update(jobs.budget_states(runs)), lambda run: cls.with_budget(
            run, states.get(run.id)
        )

    @classmethod
    def with_budget(cls, run: Run, state: "jobs.BudgetState | None") -> dict[str, Any]:
        names = cls.model_fields.keys() - {
            "input", "output", "owner", "team", "parent", "root", "forked_from", "budget"
        }  # fmt: skip
        return cls(
            **{name: getattr(run, name) for name in names},
            input=jobs.redact(run.input, run.secrets.get("input", [])),
            output=jobs.redact(run.output, run.secrets.get("output", [])),
            owner=run.owner.get_username() if run.owner else None,
            team=run.team.name if run.team else None,
            parent=run.parent_id,
            root=run.root_id,
            forked_from=run.forked_from_id,
            budget=None if state is None else BudgetShape.of(state),
        ).as_json()


class StartedShape(RunShape):
    """A run, and whether this request started it."""

    disposition: Literal["created", "idempotent", "coalesced"]


class SignalShape(Shape):
    """A durable message to a run."""

    id: int
    kind: SignalKind
    name: str
    payload: Any
    idempotency_key: str | None
    actor: dict[str, Any] = Field(description="Who sent it: kind, id, name.")
    created_at: datetime
    consumed_by: str | None = Field(description="The step that took it.")
    consumed_at: datetime | None

    @classmethod
    def of(cls, signal: Signal) -> dict[str, Any]:
        return cls.model_validate(signal).as_json()


class SentShape(SignalShape):
    """A signal, and whether this request sent it."""

    disposition: Literal["created", "idempotent"]


class AnswerShape(Shape):
    """What a query says."""

    query: str
    result: Any = Field(description="Secrets are shown as ***.")


class UpdateShape(Shape):
    """What became of an update."""

    id: int
    run_id: UUID
    name: str
    status: Literal["accepted", "completed", "failed"]
    result: Any = Field(description="What the handler returned; secrets are shown as ***.")
    error: dict[str, Any] | None = Field(description="type, message, traceback")
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, answer: jobs.UpdateAnswer) -> dict[str, Any]:
        return cls.model_validate(answer).as_json()


class StateShape(Shape):
    """The JSON document of a run."""

    value: dict[str, Any] = Field(description="Empty until the job sets it.")
    last_sequence: int = Field(description="Follow the events after this one; it is at most as new as the value.")


class RetryShape(Shape):
    max_attempts: int
    initial: float
    factor: float
    maximum: float
    jitter: float


class HandlerShape(Shape):
    """A query or an update of a job."""

    name: str
    description: str
    argument_schema: dict[str, Any] = Field(description="JSON Schema 2020-12 of what it is given.")
    result_schema: dict[str, Any]

    @classmethod
    def all(cls, handlers: Mapping[str, Any]) -> "list[HandlerShape]":
        return [
            cls(
                name=one.name,
                description=one.description,
                argument_schema=one.argument_schema(),
                result_schema=one.result_schema(),
            )
            for one in handlers.values()
        ]


class JobShape(Shape):
    """A job that runs can be started of."""

    name: str
    version: str
    description: str
    input_schema: dict[str, Any] = Field(description="JSON Schema 2020-12.")
    output_schema: dict[str, Any]
    retries: RetryShape = Field(description="Default of its steps. Times in seconds.")
    timeout_seconds: float | None
    queue: str = Field(description="Where its runs wait for a worker, unless they are started in another one.")
    budget: dict[str, LimitShape] | None = Field(description="What a run with its children may spend.")
    queries: list[HandlerShape] = Field(description="What its runs can be asked.")
    updates: list[HandlerShape] = Field(description="What its runs can be told to do, with a result.")

    @classmethod
    def of(cls, job: jobs.Job) -> dict[str, Any]:
        return cls(
            name=job.name,
            version=job.version,
            description=job.description,
            input_schema=job.input_schema(),
            output_schema=job.output_schema(),
            retries=RetryShape.model_validate(job.retries),
            timeout_seconds=job.timeout.total_seconds() if job.timeout else None,
            queue=job.queue,
            budget={name: LimitShape.model_validate(one) for name, one in job.budget.limits().items()}
            if job.budget
            else None,
            queries=HandlerShape.all(job.queries),
            updates=HandlerShape.all(job.updates),
        ).as_json()


class WorkerShape(Shape):
    """A process that drives runs."""

    host: str
    pid: int
    version: str
    started_at: datetime
    seen_at: datetime
    jobs: list[tuple[str, str]] = Field(description="Name and version of each job that it can run.")
    queues: list[str] = Field(description="Those that it serves; empty: all.")
    driving: int = Field(description="Runs that it drives now.")

    @classmethod
    def of(cls, worker: Worker) -> dict[str, Any]:
        return cls.model_validate(worker).as_json()


class WorkerShapes(RootModel[list[WorkerShape]]):
    """The live workers."""


class PrunedJobShape(Shape):
    """What was removed of one job."""

    job: str
    runs: int = Field(description="Runs deleted with all that belongs to them.")
    trimmed: int = Field(description="Runs that lost their history only.")
    events: int = Field(description="Events of both.")


class PrunedShape(Shape):
    """What a clean-up removed, or would remove."""

    dry_run: bool
    complete: bool = Field(description="False: it stopped before everything that is due was removed.")
    runs: int
    trimmed: int
    events: int
    jobs: list[PrunedJobShape]


S = TypeVar("S", bound=Shape)


class Page(Shape, Generic[S]):
    results: list[S]
    next: str | None = Field(description="Address of the next page.")
    previous: str | None


class RunPage(Page[RunShape]):
    """A page of runs, newest first."""


class SignalPage(Page[SignalShape]):
    """A page of signals in order of arrival."""


class JobPage(Page[JobShape]):
    """All jobs."""


class ErrorDetail(BaseModel):
    code: str = Field(description="Stable; for programs.")
    message: str = Field(description="What is wrong and what to do.")
    details: dict[str, Any]


class ErrorBody(BaseModel):
    """What every refusal looks like."""

    error: ErrorDetail
