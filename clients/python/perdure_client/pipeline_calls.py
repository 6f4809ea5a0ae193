"""The requests of the pipeline API, /v1, as data."""

from typing import Any

from perdure_client.calls import Call, Id, given, hex_of, plain, query_of, segment
from perdure_client.models import Metrics, Pipeline, PipelineJob, PipelineJobPage


def _job(answer: Any) -> PipelineJob:
    return PipelineJob.model_validate(answer["job"])


def _path(job: Id, *rest: str) -> str:
    return "/".join(["/v1/jobs", segment(hex_of(job)), *rest])


def create_job(pipeline_type: str, input: Any, **options: Any) -> Call[PipelineJob]:
    return Call("POST", "/v1/jobs", _job, {"pipeline_type": pipeline_type, "input": plain(input)} | given(**options))


def list_pipeline_jobs(**filters: Any) -> Call[PipelineJobPage]:
    return Call("GET", "/v1/jobs", PipelineJobPage.model_validate, query=query_of(**filters))


def get_job(job: Id) -> Call[PipelineJob]:
    return Call("GET", _path(job), _job)


def cancel_job(job: Id, reason: str | None) -> Call[PipelineJob]:
    return Call("POST", _path(job, "cancel"), _job, given(reason=reason))


def rerun_job(job: Id, from_step: str | None, reuse: bool | None, override: Any) -> Call[PipelineJob]:
    body = given(from_step_id=from_step, reuse_upstream=reuse, override_input=override)
    return Call("POST", _path(job, "rerun"), _job, body)


def list_pipelines() -> Call[list[Pipeline]]:
    return Call("GET", "/v1/config/pipelines", lambda told: [Pipeline.model_validate(one) for one in told["pipelines"]])


def list_providers() -> Call[list[dict[str, Any]]]:
    return Call("GET", "/v1/config/providers", lambda told: list(told["providers"]))


def upsert_provider(profile: dict[str, Any]) -> Call[dict[str, Any]]:
    return Call("POST", "/v1/config/providers", lambda told: dict(told["provider"]), given(**profile))


def get_metrics() -> Call[Metrics]:
    return Call("GET", "/v1/metrics", Metrics.model_validate)
