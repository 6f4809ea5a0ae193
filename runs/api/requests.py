"""What REST takes: one model per body, one for the list's filters. Unknown fields are refused, types are not bent."""

import re
from typing import Annotated, Any, Literal, TypeVar

from django.http import QueryDict
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from runs.api.errors import InvalidRequest
from runs.api.times import Rfc3339
from runs.models import RunStatus

LABEL_KEY = r"^[A-Za-z_][A-Za-z0-9_./-]{0,62}$"

Key = Annotated[str, StringConstraints(min_length=1, max_length=200)]
LabelKey = Annotated[str, StringConstraints(pattern=LABEL_KEY)]
LabelValue = Annotated[str, StringConstraints(max_length=200)]
Reason = Annotated[str, StringConstraints(max_length=500)]

MAX_BULK = 500
"""Runs that one request may change: each is a transaction of its own."""

MAX_STARTS = 1000
"""Runs that one request may start: all are one transaction."""


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


Amount = Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False)]


class SoftAndHard(Body):
    """A limit with its own soft one."""

    soft: Amount | None = Field(None, description="From here on there is a warning; without it from 80 % of the hard.")
    hard: Amount = Field(description="From here on no step begins until more is granted.")


class BudgetLimits(Body):
    """Limits, each a number or `{"soft", "hard"}`."""

    tokens: Amount | SoftAndHard | None = None
    cost: Amount | SoftAndHard | None = None
    steps: Amount | SoftAndHard | None = None
    active_seconds: Amount | SoftAndHard | None = None

    def given(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)


class GrantBudget(Body):
    """What is added to the hard limits."""

    tokens: Amount | None = None
    cost: Amount | None = None
    steps: Amount | None = None
    active_seconds: Amount | None = None


class StartRun(Body):
    """A run to start."""

    job: Key = Field(description="Name of a registered job.")
    input: Any = Field(default_factory=dict, description="What the job's input schema asks for.")
    version: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        None, description="Version of the job; without it the newest."
    )
    team: Key | int | None = Field(None, description="Name or id of one of your teams, whose members see the run.")
    idempotency_key: Key | None = Field(
        None, description="A second request with the same key and input gets the first one's run."
    )
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, max_length=50)
    priority: int = Field(0, ge=-1000, le=1000, description="Higher goes first.")
    queue: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        None, description="Without it the job's."
    )
    run_at: Rfc3339 | None = Field(None, description="Not before this time.")
    concurrency_key: Key | None = Field(
        None, description="Runs of one key go on in order, as many at once as the job allows."
    )
    coalesce: Literal["skip"] | None = Field(
        None, description="`skip`: a run of the same concurrency key that has not begun is given instead of a new one."
    )
    budget: BudgetLimits | None = Field(
        None, description="What it and its children may spend, within what its job allows."
    )


class StartRuns(Body):
    """Runs to start together."""

    runs: list[StartRun] = Field(min_length=1, max_length=MAX_STARTS)


class SetQueue(Body):
    """All that holds for a queue; what is left out is not kept."""

    concurrency: int | None = Field(
        None, ge=1, lt=2**31, description="How many of its runs may be driven at once; null: no limit."
    )
    paused: bool = Field(False, description="None of its runs is begun, woken or taken over.")


class CancelRun(Body):
    """Why a run is cancelled."""

    reason: Reason = ""


class PauseRun(Body):
    """Why a run is paused."""

    reason: Reason = ""


class ForkRun(Body):
    """From where a new run goes on, and what is different there."""

    step: Key = Field(description="Name of the first step that is done again; those before it are kept.")
    input: Any = Field(None, description="Another input; without it the old one.")
    outputs: dict[str, Any] | None = Field(None, description="Other results of kept steps, by their names.")


class MoveRun(Body):
    """To which version of its job a run is moved."""

    version: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class SetRollout(Body):
    """What share of a job's new runs gets another version."""

    version: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    percent: int = Field(ge=0, le=100)
    base: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        None, description="Version of the others; without it as before, at first the one registered last beside it."
    )


class SendSignal(Body):
    """A signal to a run."""

    name: Key
    payload: Any = None
    idempotency_key: Key | None = Field(
        None, description="A second request with the same key, name and payload gives the first one's signal."
    )


class AskQuery(Body):
    """What a query is given."""

    arguments: Any = Field(None, description="What the handler's schema asks for.")


class SendUpdate(Body):
    """An update for a run to handle."""

    name: Key = Field(description="Name of an update of its job.")
    payload: Any = Field(None, description="What the handler's schema asks for.")
    idempotency_key: Key | None = Field(
        None, description="A second request with the same key, name and payload gives the first one's update."
    )


class RunSelection(Body):
    """Runs by the filters of the list; all must hold."""

    job: str | None = None
    queue: str | None = None
    status: list[Annotated[RunStatus, Field(strict=False)]] = []
    owner: str | None = Field(None, description="User name.")
    team: str | None = Field(None, description="Name of the team.")
    labels: dict[LabelKey, str] = {}
    created_after: Rfc3339 | None = None
    created_before: Rfc3339 | None = None
    limit: int = Field(ge=1, le=MAX_BULK, description="The oldest so many of them.")


class CancelRuns(RunSelection):
    """Which runs are cancelled, and why. Those that have ended are left out."""

    reason: Reason = ""


class RetryRuns(RunSelection):
    """Which failed runs are retried. Others are left out."""


class Prune(Body):
    """What is cleaned up; without an age whatever its retention no longer keeps."""

    older_than: str | None = Field(
        None,
        max_length=20,
        examples=["7d"],
        description="Delete runs that ended longer ago than this (90s, 30m, 12h, 7d, 2w), whatever their retention.",
    )
    job: Key | None = Field(None, description="Only runs of this job.")
    dry_run: bool = Field(False, description="Only tell what would be removed.")


class RunFilter(BaseModel):
    """The query of the list of runs."""

    model_config = ConfigDict(extra="forbid")

    job: str | None = None
    queue: str | None = None
    status: list[RunStatus] = []
    owner: str | None = None
    team: str | None = None
    labels: dict[LabelKey, str] = {}
    created_after: Rfc3339 | None = None
    created_before: Rfc3339 | None = None
    cursor: str | None = None
    limit: str | None = None


B = TypeVar("B", bound=BaseModel)


def read_body(model: type[B], data: Any) -> B:
    """The body as `model`. Raises InvalidRequest naming each field that does not fit."""
    if not isinstance(data, dict):
        raise InvalidRequest.of("body", "must be a JSON object")
    return _validate(model, data)


def read_filter(query: QueryDict) -> RunFilter:
    """The filters of a list request; `status` may be repeated, `label.<key>=<value>` names a label."""
    given: dict[str, Any] = {}
    for name, values in query.lists():
        if name.startswith("label."):
            given.setdefault("labels", {})[name.removeprefix("label.")] = _only(name, values)
        elif name == "status":
            given[name] = values
        elif name == "labels":
            raise InvalidRequest.of(name, "is not a filter; use label.<key>=<value>")
        else:
            given[name] = _only(name, values)
    return _validate(RunFilter, given)


def read_text(query: QueryDict) -> dict[str, str]:
    """Every parameter as text; raises InvalidRequest for one that is given twice or cannot be stored."""
    return {name: _only(name, values) for name, values in query.lists()}


def refuse_unknown(query: QueryDict, *known: str) -> None:
    """Raises InvalidRequest for a query parameter that is not `known`, or that is given twice."""
    for name, values in query.lists():
        if name not in known:
            raise InvalidRequest.of(name, "is not a parameter here; leave it out")
        _only(name, values)


def _only(name: str, values: list[str]) -> str:
    if len(values) != 1:
        raise InvalidRequest.of(name, "is given more than once")
    if re.search("[\x00\ud800-\udfff]", values[0]):
        raise InvalidRequest.of(name, "holds a NUL character or a lone surrogate")
    return values[0]


def _validate(model: type[B], data: dict[str, Any]) -> B:
    try:
        return model.model_validate(data)
    except ValidationError as exc:
        raise InvalidRequest.from_pydantic(exc) from exc
