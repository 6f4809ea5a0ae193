"""Where a job stands after each event of its run's log. Pure: the same events give the same job."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from flows.pipelines.naming import Place
from flows.pipelines.shards import Shard, shards_of
from flows.pipelines.spec import OnFailure, PipelineDef, StepDef
from flows.pipelines.wire import JobError, JobResult, PipelineJob, StepExecution, StepState

ENDED: frozenset[StepState] = frozenset({"success", "failed", "skipped", "cancelled"})


@dataclass(slots=True)
class StepProgress:
    """`shards` holds how each part ended, or that it runs; `heads` what later steps must know of its items."""

    step: StepDef
    exports: bool
    skips_failures: bool
    """The job goes on without a shard that failed."""
    status: StepState = "pending"
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: JobError | None = None
    shards: dict[int | None, str] = field(default_factory=dict)
    heads: dict[int | None, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def shards_done(self) -> int:
        return sum(state != "running" for state in self.shards.values())

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    def items(self) -> list[dict[str, Any]]:
        """In the order of the shards, whichever ended first."""
        return [head for _, heads in sorted(self.heads.items(), key=lambda pair: pair[0] or 0) for head in heads]

    def end(self, status: StepState, at: datetime | None) -> None:
        self.status, self.finished_at = status, at

    def reopen(self) -> None:
        """Its run is retried: shards that did not succeed begin again."""
        self.status, self.finished_at, self.error = "pending", None, None
        self.shards = {shard: state for shard, state in self.shards.items() if state == "success"}

    def as_execution(self) -> StepExecution:
        return StepExecution(
            step_id=self.step.id, name=self.step.title, kind=self.step.kind.value, status=self.status,
            started_at=self.started_at, finished_at=self.finished_at, error=self.error, shards_done=self.shards_done,
        )  # fmt: skip


def _steps_of(definition: PipelineDef) -> dict[str, StepProgress]:
    return {
        step.id: StepProgress(step, definition.exports(step), definition.policy_of(step) is not OnFailure.FAIL)
        for step in definition.steps
    }


class Steps(Mapping[str, StepProgress]):
    """The steps of one job, in the order of its pipeline."""

    def __init__(self, definition: PipelineDef | None, sources: Sequence[Any]) -> None:
        self._sources = sources
        self._shards: dict[str, Sequence[Shard]] = {}
        self._steps = _steps_of(definition) if definition is not None else {}

    def __getitem__(self, step_id: str) -> StepProgress:
        return self._steps[step_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._steps)

    def __len__(self) -> int:
        return len(self._steps)

    def shard_key(self, place: Place) -> str | None:
        """None for a single step."""
        shards = () if place.index is None else self._shards_of(place.step_id)
        return shards[place.index].key if place.index is not None and place.index < len(shards) else None

    def is_whole(self, step_id: str) -> bool:
        """Has every shard ended? A result under the step's own name is that of the whole step."""
        step = self._steps[step_id]
        if step.shards.get(None, "running") != "running":
            return True
        return step.shards_done >= max(1, len(self._shards_of(step_id)))

    def executions(self) -> list[StepExecution]:
        return [step.as_execution() for step in self._steps.values()]

    def reopen(self) -> None:
        """The job is retried."""
        self._shards.clear()
        for step in self._steps.values():
            if step.status in ("failed", "cancelled"):
                step.reopen()

    def _shards_of(self, step_id: str) -> Sequence[Shard]:
        """Asked of steps that have begun: what they depend on has ended, and gives nothing more."""
        if step_id not in self._shards:
            step = self._steps[step_id].step
            items = {dependency: self._steps[dependency].items() for dependency in step.depends_on}
            self._shards[step_id] = shards_of(step, self._sources, items)
        return self._shards[step_id]


def describe_failure(error: Mapping[str, Any] | None) -> JobError:
    """A run's or a step's error as the pipeline API tells it."""
    error = error or {}
    steps = [str(name) for name in error.get("steps") or ()]
    code = error.get("code") or ("step_failed" if steps or error.get("step") else "job_failed")
    details = {"type": error.get("type"), "steps": steps or None}
    told = {name: value for name, value in details.items() if value is not None}
    return JobError(code=str(code), message=str(error.get("message") or "It failed."), details=told or None)


def read_result(output: Any) -> JobResult | None:
    """A run's output as a job's result; None where there is none, or no longer one."""
    try:
        return JobResult.model_validate(output)
    except ValidationError:
        return None


def updated(job: PipelineJob, **values: Any) -> PipelineJob:
    return job.model_copy(update=values)
