"""REST doors to runs, jobs and workers. They hold no rule of their own: `runs.jobs` does the work."""

from collections import defaultdict
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response

from runs import clock, jobs
from runs.api.documents import FILTERS, PAGE, RUN_ID, operation
from runs.api.door import Door, filtered
from runs.api.pages import page
from runs.api.requests import StartRun, read_body, read_filter, refuse_unknown
from runs.api.shapes import (
    JobPage,
    JobShape,
    RunPage,
    RunShape,
    StartedShape,
    WorkerShape,
    WorkerShapes,
)
from runs.api.step_shapes import CheckpointPage, CheckpointShape, StepPage, StepShape
from runs.models import Attempt, Checkpoint, Step, Worker


class RunList(Door):
    @operation(
        "runs_list",
        "List the runs that you may see, newest first",
        {200: RunPage},
        refusals=(400,),
        parameters=[*FILTERS, *PAGE],
        description="Also by label: `label.<key>=<value>`, once for each key. Filters combine; all must hold.",
    )
    def get(self, request: Request) -> Response:
        rows = filtered(self.visible(request), read_filter(request.query_params))
        prepare, shape = RunShape.of_many()
        return Response(page(request, rows, shape, newest_first=True, prepare=prepare))

    @operation(
        "runs_start",
        "Start a run",
        {201: StartedShape, 200: StartedShape},
        body=StartRun,
        refusals=(404, 409),
        description="201 and `created`; or 200: `idempotent` with the run that the idempotency key already started, "
        "`coalesced` with the run of the same concurrency key that has not begun.",
    )
    def post(self, request: Request) -> Response:
        body = read_body(StartRun, self.body(request))
        started = jobs.start(
            body.job,
            body.input,
            version=body.version,
            owner=request.user,
            team=self.team_of(request, body.team),
            labels=body.labels,
            idempotency_key=body.idempotency_key,
            priority=body.priority,
            queue=body.queue,
            run_at=body.run_at,
            concurrency_key=body.concurrency_key,
            coalesce=body.coalesce,
            budget=body.budget.given() if body.budget else None,
            actor=self.actor(request),
        )
        shown = self.shown(request, started.run.id) | {"disposition": started.disposition}
        location = request.build_absolute_uri(f"{started.run.id}/")
        created = started.disposition == "created"
        return Response(shown, status=201 if created else 200, headers={"Location": location})


class RunDetail(Door):
    @operation("runs_get", "Get a run", {200: RunShape}, refusals=(404,), parameters=[RUN_ID])
    def get(self, request: Request, run_id: str) -> Response:
        return Response(RunShape.of(self.find(request, run_id)))

    @operation("runs_delete", "Delete a run that has ended", {204: None}, refusals=(404, 409), parameters=[RUN_ID])
    def delete(self, request: Request, run_id: str) -> Response:
        jobs.delete(self.find(request, run_id).id, actor=self.actor(request))
        return Response(status=204)


class RunSteps(Door):
    @operation("runs_steps", "List a run's steps", {200: StepPage}, refusals=(400, 404), parameters=[RUN_ID, *PAGE])
    def get(self, request: Request, run_id: str) -> Response:
        refuse_unknown(request.query_params, "cursor", "limit")
        run = self.find(request, run_id)
        made: defaultdict[str, list[Attempt]] = defaultdict(list)

        def read_attempts(steps: list[Step]) -> None:
            names = [step.name for step in steps]
            for attempt in Attempt.objects.filter(run=run, step_name__in=names).order_by("number"):
                made[attempt.step_name].append(attempt)

        def shape(step: Step) -> dict[str, Any]:
            return StepShape.of(step, made[step.name])

        return Response(page(request, Step.objects.filter(run=run), shape, prepare=read_attempts))


class RunCheckpoints(Door):
    @operation(
        "runs_checkpoints",
        "List the checkpoints of a run's unfinished steps",
        {200: CheckpointPage},
        refusals=(400, 404),
        parameters=[RUN_ID, *PAGE],
    )
    def get(self, request: Request, run_id: str) -> Response:
        refuse_unknown(request.query_params, "cursor", "limit")
        rows = Checkpoint.objects.filter(run=self.find(request, run_id))
        return Response(page(request, rows, CheckpointShape.of))


class JobList(Door):
    @operation("jobs_list", "List the jobs, every version", {200: JobPage}, refusals=(400,))
    def get(self, request: Request) -> Response:
        refuse_unknown(request.query_params)
        return Response({"results": [JobShape.of(job) for job in jobs.all_jobs()], "next": None, "previous": None})


class JobDetail(Door):
    @operation(
        "jobs_get",
        "Get a job",
        {200: JobShape},
        refusals=(400, 404),
        parameters=[
            OpenApiParameter("name", str, OpenApiParameter.PATH, description="Name of the job."),
            OpenApiParameter("version", str, description="Without it the newest."),
        ],
    )
    def get(self, request: Request, name: str) -> Response:
        refuse_unknown(request.query_params, "version")
        return Response(JobShape.of(jobs.get_job(name, request.query_params.get("version"))))


class WorkerList(Door):
    """For staff: hosts and process ids are the operators' business."""

    permission_classes = (IsAdminUser,)

    @operation("workers_list", "List the live workers; staff only", {200: WorkerShapes}, refusals=(400,))
    def get(self, request: Request) -> Response:
        refuse_unknown(request.query_params)
        live = Worker.objects.with_driving().filter(expires_at__gt=clock.sql_now())
        return Response([WorkerShape.of(worker) for worker in live])
