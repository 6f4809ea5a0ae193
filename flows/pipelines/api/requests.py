"""What the doors of the pipeline API take."""

from typing import Annotated, Any, Literal

from django.http import QueryDict
from pydantic import Field, StringConstraints
from rest_framework.request import Request

from flows.pipelines.run_input import PipelineInput
from flows.pipelines.shown import STATUSES
from flows.pipelines.wire import JOB_STATUSES
from runs.api.errors import InvalidRequest
from runs.api.requests import Body, BudgetLimits, Key, LabelKey, LabelValue, Reason, refuse_unknown

StepId = Annotated[str, StringConstraints(min_length=1, max_length=64)]
JobId = Annotated[str, StringConstraints(min_length=32, max_length=36)]


class CreateJob(Body):
    """A pipeline to run; with `parent_job_id` again, as the rerun of that job."""

    pipeline_type: Key = Field(description="Type of a pipeline: GET /v1/config/pipelines.")
    version: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = Field(
        None, description="Version of the pipeline; without it the newest."
    )
    input: PipelineInput | None = None
    mode: Literal["sync", "async"] = Field(
        "async", description="sync: the answer is the ended job, or the job as it is when the wait is over."
    )
    parent_job_id: JobId | None = None
    from_step_id: StepId | None = Field(None, description="With parent_job_id: the first step that is done again.")
    reuse_upstream: bool = Field(False, description="With from_step_id: what came before is taken over.")
    team: Key | int | None = Field(None, description="Name or id of one of your teams, whose members see the job.")
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, max_length=49)
    budget: BudgetLimits | None = Field(None, description="What it may spend; without it what its pipeline says.")
    idempotency_key: Key | None = Field(
        None, description="A second request with the same key and input gets the first one's job. Also as a header."
    )


class CancelJob(Body):
    """Why a job is cancelled."""

    reason: Reason = "cancelled by user"


class RerunJob(Body):
    """From where a job is run again, and with what."""

    from_step_id: StepId | None = Field(None, description="Without it from the first step on.")
    reuse_upstream: bool = Field(False, description="What came before from_step_id is taken over, not done again.")
    override_input: PipelineInput | None = Field(None, description="Another input; without it the old one.")


class Suggest(Body):
    """What a model is asked once."""

    prompt: Annotated[str, StringConstraints(min_length=1, max_length=200_000)]
    system: Annotated[str, StringConstraints(max_length=50_000)] = ""
    provider_profile_id: Annotated[str, StringConstraints(min_length=1, max_length=100)] = "default"
    model: Annotated[str, StringConstraints(max_length=200)] = ""
    max_tokens: int | None = Field(None, ge=1, le=10_000_000)


class PipelineDocument(Body):
    """A definition: YAML or JSON as text, or the value itself."""

    document: str | dict[str, Any]


def read_idempotency_key(request: Request, given: str | None) -> str | None:
    """Of the body, or of the header `Idempotency-Key`. Raises InvalidRequest when the two differ."""
    header = request.headers.get("Idempotency-Key")
    if header is None:
        return given
    if not 1 <= len(header) <= 200 or (given is not None and given != header):
        raise InvalidRequest.of("Idempotency-Key", "must have 1 to 200 characters, and be the body's if both come")
    return header


def read_after_seq(query: QueryDict) -> int:
    """Raises InvalidRequest for what is no number of a line."""
    text = query.get("after_seq", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise InvalidRequest.of("after_seq", "must be the number of the last line that you hold, or 0")
    return int(text)


def read_flag(query: QueryDict, name: str) -> bool:
    """Raises InvalidRequest for what is neither true nor false."""
    text = query.get(name, "false")
    if text not in ("true", "false"):
        raise InvalidRequest.of(name, "must be true or false")
    return text == "true"


def read_job_filter(query: QueryDict) -> tuple[list[str], str | None]:
    """The statuses of runs, and the type of pipeline, that a list is asked for. Raises InvalidRequest."""
    refuse_unknown(query, "status", "pipeline_type", "cursor", "limit")
    status = query.get("status")
    if status is None:
        return [], query.get("pipeline_type")
    found = [name for name, told in STATUSES.items() if told == status]
    if not found:
        raise InvalidRequest.of("status", f"must be one of: {', '.join(JOB_STATUSES)}")
    return found, query.get("pipeline_type")
