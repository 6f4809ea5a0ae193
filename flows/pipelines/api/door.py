"""What the views below /v1/ share: jobs instead of runs, their own shape of errors, NDJSON beside JSON."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from flows.pipelines.api.errors import handle_v1_error
from flows.pipelines.api.shapes import JobBody, V1Error
from flows.pipelines.live.job_stream import MEDIA_TYPE
from flows.pipelines.shown import JOB, job_id_of, jobs_of, read_job_id
from runs.api.documents import JSON, operation
from runs.api.door import Door
from runs.errors import RunNotFound
from runs.models import Run

JOB_ID = OpenApiParameter(
    "job_id", {"type": "string", "pattern": "^[0-9a-f]{32}$"}, OpenApiParameter.PATH, description="Id of the job."
)


class NdjsonRenderer(JSONRenderer):
    """For clients that ask for nothing but NDJSON: one JSON value is one line of it."""

    media_type = MEDIA_TYPE


class V1Door(Door):
    def get_exception_handler(self) -> Callable[..., Any]:
        return handle_v1_error

    def visible(self, request: Request) -> QuerySet[Run]:
        return super().visible(request).filter(job=JOB)

    def find(self, request: Request, run_id: str) -> Run:
        """The run of a job; raises RunNotFound alike for a malformed id, a missing job and another team's."""
        run = self.visible(request).filter(pk=read_job_id(run_id)).first()
        if run is None:
            raise RunNotFound(run_id)
        return run

    def job(self, run: Run) -> dict[str, Any]:
        """`{"job": ...}` as it is now."""
        [found] = jobs_of([Run.objects.get(pk=run.pk)])
        return JobBody(job=found).as_json()

    def answer(self, request: Request, run: Run, status: int) -> Response:
        """A job that was started, and its address."""
        address = request.build_absolute_uri(reverse("v1-job", args=[job_id_of(run.id)]))
        return Response(self.job(run), status=status, headers={"Location": address})


def v1_operation(name: str, summary: str, answers: Mapping[Any, Any], **options: Any) -> Callable[[Any], Any]:
    """`operation` with the errors of this API. An answer is JSON where nothing else is said."""
    typed = {code if isinstance(code, tuple) else (code, JSON): shape for code, shape in answers.items()}
    return operation(f"v1_{name}", summary, typed, error=V1Error, **options)
