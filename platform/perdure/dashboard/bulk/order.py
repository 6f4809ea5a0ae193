"""What is to be done with many runs: the input of the job that does it."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from runs.models import ENDED, RunStatus

MOST_CHOSEN = 500
"""Runs that are named one by one."""
LONGEST_QUERY = 4000
"""Characters of a filter."""


class Action(StrEnum):
    CANCEL = "cancel"
    RETRY = "retry"
    PRUNE = "prune"

    @property
    def statuses(self) -> tuple[str, ...]:
        """In which a run is for it."""
        if self is Action.RETRY:
            return (RunStatus.FAILED.value,)
        ended = tuple(status.value for status in ENDED)
        return ended if self is Action.PRUNE else tuple(one for one in RunStatus.values if one not in ended)

    @property
    def done(self) -> str:
        return {Action.CANCEL: "Cancelled", Action.RETRY: "Retried", Action.PRUNE: "Pruned"}[self]


class BulkOrder(BaseModel):
    """Runs by their ids, or all that fit a filter and are no newer than `newest`. Whose right it is, is not said here:
    that is the owner of the run that does it."""

    model_config = ConfigDict(extra="forbid")

    action: Action
    runs: list[UUID] = Field(default=[], max_length=MOST_CHOSEN)
    query: Annotated[str, StringConstraints(max_length=LONGEST_QUERY)] | None = Field(
        None, description="The filter as the address of the list of runs has it."
    )
    newest: UUID | None = Field(None, description="Runs that were made after this id are left out.")
    reason: Annotated[str, StringConstraints(max_length=200)] = ""

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if bool(self.runs) == (self.query is not None):
            raise ValueError("name either runs or a query")
        return self


class Refusal(BaseModel):
    run: UUID
    code: str
    message: str


class BulkResult(BaseModel):
    """How many runs were changed, and which were not; `refusals` holds the first of them."""

    action: Action
    changed: int = 0
    refused: int = 0
    refusals: list[Refusal] = []
