"""What REST answers about the steps of a run."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic import Field

from runs import jobs
from runs.api.shapes import Page, Shape
from runs.models import Attempt, AttemptOutcome, Checkpoint, Step, StepStatus


class AttemptShape(Shape):
    """One invocation of a step's function."""

    number: int
    outcome: AttemptOutcome
    started_at: datetime
    ended_at: datetime | None
    error: dict[str, Any] | None = Field(description="type, message, traceback")
    usage: dict[str, Any] | None = Field(description="provider, model, input_tokens, output_tokens, cost, ...")


class StepShape(Shape):
    """One named unit of a run."""

    name: str
    status: StepStatus
    attempts: int
    output: Any = Field(description="Secrets are shown as ***.")
    error: dict[str, Any] | None
    started_at: datetime | None
    finished_at: datetime | None
    history: list[AttemptShape] = Field(
        description="Its attempts in order, but for one that succeeded at once and told of no usage."
    )

    @classmethod
    def of(cls, step: Step, attempts: Iterable[Attempt] = ()) -> dict[str, Any]:
        rest = {name: getattr(step, name) for name in cls.model_fields if name not in ("output", "history")}
        history = [AttemptShape.model_validate(one) for one in attempts]
        return cls(**rest, output=jobs.redact(step.output, step.secrets), history=history).as_json()


class CheckpointShape(Shape):
    """State that a step saved in the middle of an attempt."""

    step: str
    number: int
    attempt: int
    state: Any = Field(description="Secrets are shown as ***.")
    size: int = Field(description="Bytes of the state as JSON.")
    created_at: datetime

    @classmethod
    def of(cls, saved: Checkpoint) -> dict[str, Any]:
        rest = {name: getattr(saved, name) for name in ("number", "attempt", "size", "created_at")}
        return cls(**rest, step=saved.step_name, state=jobs.redact(saved.state, saved.secrets)).as_json()


class StepPage(Page[StepShape]):
    """A page of steps in the order of their first record."""


class CheckpointPage(Page[CheckpointShape]):
    """A page of checkpoints, oldest first."""
