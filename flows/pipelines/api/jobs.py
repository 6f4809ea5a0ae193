"""Jobs: start, list, read, cancel and run again. They hold no rule of their own."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from flows.pipelines import starting
from flows.pipelines.api.door import JOB_ID, NdjsonRenderer, V1Door, v1_operation
from flows.pipelines.api.requests import (
    CancelJob,
    CreateJob,
    RerunJob,
    read_after_seq,
    read_flag,
    read_idempotency_key,
    read_job_filter,
)
from flows.pipelines.api.shapes import JobBody, PipelineJobPage
from flows.pipelines.api.waiting import wait_for_end
from flows.pipelines.conf import get_settings
from flows.pipelines.live import job_stream
from flows.pipelines.shown import jobs_of
from flows.pipelines.wire import JOB_STATUSES, StreamLine
from runs import jobs as runs
from runs.api.documents import PAGE
from runs.api.errors import InvalidRequest
from runs.api.pages import page
from runs.api.requests import read_body, refuse_unknown
from runs.errors import RunAlreadyEnded
from runs.jobs import Started
from runs.live.access import Viewer
from runs.models import Run

LINES = {(200, job_stream.MEDIA_TYPE): StreamLine}
_STATUS = {"type": "string", "enum": list(JOB_STATUSES)}


class JobList(V1Door):
    renderer_classes = (JSONRenderer, NdjsonRenderer)

    @v1_operation(
        "jobs_list",
        "List the jobs that you may see, newest first",
        {200: PipelineJobPage},
        refusals=(400,),
        parameters=[OpenApiParameter("status", _STATUS), OpenApiParameter("pipeline_type", str), *PAGE],
    )
    def get(self, request: Request) -> Response:
        statuses, pipeline = read_job_filter(request.query_params)
        rows = self.visible(request)
        if statuses:
            rows = rows.filter(status__in=statuses)
        if pipeline is not None:
            rows = rows.filter(labels__pipeline=pipeline)
        found = page(request, rows, _itself, newest_first=True)
        shown = [job.as_json() for job in jobs_of(found["results"])]
        return Response({"jobs": shown, "next": found["next"], "previous": found["previous"]})

    @v1_operation(
        "jobs_create",
        "Start a job",
        {202: JobBody, 200: JobBody, **LINES},
        body=CreateJob,
        refusals=(404, 409, 410),
        parameters=[
            OpenApiParameter("stream", bool, description="The answer is the job's stream, from `job_queued` on."),
            OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, description="As `idempotency_key`."),
        ],
        description="202 with the job as it is now; in the mode `sync` 200 with the ended job, or 202 when it has not "
        "ended within PIPELINES_SYNC_SECONDS. A client that goes away stops nothing.",
    )
    def post(self, request: Request) -> HttpResponseBase:
        refuse_unknown(request.query_params, "stream")
        wants_lines = read_flag(request.query_params, "stream")
        body = read_body(CreateJob, self.body(request))
        run = (_rerun if body.parent_job_id else _start)(self, request, body).run
        if wants_lines:
            return stream(request, run)
        has_ended = body.mode == "sync" and wait_for_end(run.id, timedelta(seconds=get_settings().sync_seconds))
        return self.answer(request, run, 200 if has_ended else 202)


class JobDetail(V1Door):
    @v1_operation("jobs_get", "Get a job", {200: JobBody}, refusals=(404,), parameters=[JOB_ID])
    def get(self, request: Request, job_id: str) -> Response:
        return Response(self.job(self.find(request, job_id)))


class JobStream(V1Door):
    renderer_classes = (NdjsonRenderer,)

    @v1_operation(
        "jobs_stream",
        "Follow a job, line by line",
        LINES,
        refusals=(400, 404, 410),
        parameters=[
            JOB_ID,
            OpenApiParameter(
                "after_seq", {"type": "integer", "minimum": 0}, description="Number of the last line that you hold."
            ),
        ],
        description="One StreamLine in JSON on each line: those that are there, then those to come, until "
        "`stream_finished`. 410 when nothing can follow that number: it is beyond the stream, or the job's history is "
        "cleaned up.",
    )
    def get(self, request: Request, job_id: str) -> HttpResponseBase:
        run = self.find(request, job_id)
        refuse_unknown(request.query_params, "after_seq")
        return stream(request, run, read_after_seq(request.query_params))

    def head(self, request: Request, job_id: str) -> HttpResponse:
        self.find(request, job_id)
        return HttpResponse(content_type=job_stream.MEDIA_TYPE)


class JobCancel(V1Door):
    @v1_operation(
        "jobs_cancel",
        "Cancel a job",
        {200: JobBody},
        body=CancelJob,
        refusals=(404,),
        parameters=[JOB_ID],
        description="The job as it is then; one that has ended stays as it is.",
    )
    def post(self, request: Request, job_id: str) -> Response:
        run = self.find(request, job_id)
        body = read_body(CancelJob, self.body(request))
        with suppress(RunAlreadyEnded):  # also a moment ago: the caller wanted that it works no more
            runs.cancel(run.id, actor=self.actor(request), reason=body.reason)
        return Response(self.job(run))


class JobRerun(V1Door):
    @v1_operation(
        "jobs_rerun",
        "Run a job again",
        {202: JobBody},
        body=RerunJob,
        refusals=(404, 409, 410),
        parameters=[JOB_ID],
        description="A new job of the same definition, with the old one's input or another. With `reuse_upstream` the "
        "steps before `from_step_id` are skipped and their items copied.",
    )
    def post(self, request: Request, job_id: str) -> Response:
        run = self.find(request, job_id)
        body = read_body(RerunJob, self.body(request))
        started = starting.rerun(
            run.id, user=request.user, from_step=body.from_step_id, reuse_upstream=body.reuse_upstream,
            override_input=body.override_input, actor=self.actor(request),
        )  # fmt: skip
        return self.answer(request, started.run, 202)


def stream(request: Request, run: Run, after_seq: int = 0) -> HttpResponseBase:
    """The lines of a job that the caller may see. Raises OutsideWindow."""
    position = job_stream.find(run, after_seq)
    return job_stream.respond(Viewer.of_request(request._request), position)


def _itself(run: Run) -> Any:
    return run


def _start(door: V1Door, request: Request, body: CreateJob) -> Started:
    if body.from_step_id or body.reuse_upstream:
        raise InvalidRequest.of("parent_job_id", "must name the job that from_step_id and reuse_upstream are about")
    return starting.start(
        body.pipeline_type, body.input, version=body.version, owner=request.user,
        team=door.team_of(request, body.team), mode=body.mode, labels=body.labels, actor=door.actor(request),
        budget=body.budget.given() if body.budget else None,
        idempotency_key=read_idempotency_key(request, body.idempotency_key),
    )  # fmt: skip


def _rerun(door: V1Door, request: Request, body: CreateJob) -> Started:
    parent = door.find(request, str(body.parent_job_id))
    if parent.labels.get("pipeline") != body.pipeline_type:
        raise InvalidRequest.of("pipeline_type", "is not that of parent_job_id")
    unfit = [name for name in _NOT_OF_A_RERUN if getattr(body, name)]
    if unfit or "Idempotency-Key" in request.headers:
        raise InvalidRequest.of((unfit or ["Idempotency-Key"])[0], "does not go with parent_job_id; leave it out")
    return starting.rerun(
        parent.id, user=request.user, from_step=body.from_step_id, reuse_upstream=body.reuse_upstream,
        override_input=body.input, actor=door.actor(request),
    )  # fmt: skip


_NOT_OF_A_RERUN = ("version", "team", "labels", "budget", "idempotency_key")
