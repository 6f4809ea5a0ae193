"""The workflow API: runs under the names and shapes of agent servers. The same doors, in another dialect."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter
from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response

from runs import jobs
from runs.api.documents import RUN_ID, operation
from runs.api.door import Door
from runs.api.errors import InvalidRequest
from runs.api.handlers import WAIT, read_wait
from runs.api.requests import Body, Key, read_body, refuse_unknown
from runs.api.shapes import Shape
from runs.conf import get_settings
from runs.models import Event, Run, Step

STATUSES = {
    "queued": "PENDING", "running": "RUNNING", "waiting": "RUNNING", "paused": "PAUSED", "completed": "COMPLETED",
    "failed": "FAILED", "cancelled": "CANCELLED",
}  # fmt: skip
Status = Annotated[str, Field(description="PENDING, RUNNING, PAUSED, COMPLETED, FAILED or CANCELLED.")]
MOST_STEPS = 200


class StartWorkflow(Body):
    """A workflow to start. Its job gets `projectId`, `task` and `metadata` as its input, those that are given."""

    workflow: Key | None = Field(None, description="Name of the job; without it RUNS_WORKFLOW_JOB.")
    projectId: Annotated[str, Field(max_length=200)] | None = None  # noqa: N815  (the names of this API)
    task: Any = None
    userId: str | None = Field(None, description="Your own user name or id, if given; you own the run.")  # noqa: N815
    metadata: dict[str, Any] | None = None
    idempotencyKey: Key | None = None  # noqa: N815


class SignalWorkflow(Body):
    """A signal to a workflow."""

    signalName: Key  # noqa: N815
    data: Any = None
    idempotencyKey: Key | None = None  # noqa: N815


class UpdateWorkflow(Body):
    """An update for a workflow to handle."""

    updateName: Key  # noqa: N815
    data: Any = None
    idempotencyKey: Key | None = None  # noqa: N815


class WorkflowStarted(Shape):
    """A workflow that was started, now or by an earlier request with the same key."""

    workflowId: UUID  # noqa: N815
    status: Status
    createdAt: datetime  # noqa: N815


class WorkflowSignalled(Shape):
    success: Literal[True] = True


class AgentStep(Shape):
    """A step of a workflow."""

    name: str
    status: str
    startedAt: datetime | None  # noqa: N815
    finishedAt: datetime | None  # noqa: N815


class WorkflowView(Shape):
    """Where a workflow stands, or with `name` what its query says."""

    workflowId: UUID  # noqa: N815
    status: Status
    currentIteration: float | None = Field(description="From the run's progress.")  # noqa: N815
    maxIterations: float | None  # noqa: N815
    agentSteps: list[AgentStep] = Field(description=f"The newest {MOST_STEPS}, oldest first.")  # noqa: N815
    lastUpdate: datetime = Field(description="Time of its last event.")  # noqa: N815
    result: Any = Field(None, description="What the query `name` says; without one null.")


class WorkflowUpdated(Shape):
    """What became of an update."""

    workflowId: UUID  # noqa: N815
    updateId: int  # noqa: N815
    status: str = Field(description="ACCEPTED, COMPLETED or FAILED.")
    result: Any
    error: str | None


class WorkflowStart(Door):
    @operation(
        "workflows_start",
        "Start a workflow",
        {201: WorkflowStarted, 200: WorkflowStarted},
        body=StartWorkflow,
        refusals=(404, 409),
        description="A run of the job `workflow`. 200 with the run that the idempotency key already started.",
    )
    def post(self, request: Request) -> Response:
        body = read_body(StartWorkflow, self.body(request))
        name = body.workflow or get_settings().workflow_job
        if not name:
            raise InvalidRequest.of("workflow", "must name a job; no RUNS_WORKFLOW_JOB is set")
        _check_user(request, body.userId)
        given = body.model_dump(include={"projectId", "task", "metadata"}, exclude_unset=True)
        started = jobs.start(
            name, given, owner=request.user, idempotency_key=body.idempotencyKey, actor=self.actor(request)
        )
        run = started.run
        shown = WorkflowStarted(workflowId=run.id, status=_status(run), createdAt=run.created_at)
        return Response(shown.as_json(), status=201 if started.disposition == "created" else 200)


class WorkflowSignal(Door):
    @operation("workflows_signal", "Send a signal to a workflow", {200: WorkflowSignalled}, body=SignalWorkflow,
               refusals=(404, 409), parameters=[RUN_ID])  # fmt: skip
    def post(self, request: Request, run_id: str) -> Response:
        run = self.find(request, run_id)
        body = read_body(SignalWorkflow, self.body(request))
        jobs.signal(run.id, body.signalName, body.data, idempotency_key=body.idempotencyKey, actor=self.actor(request))
        return Response(WorkflowSignalled().as_json())


class WorkflowQuery(Door):
    @operation(
        "workflows_query",
        "Ask where a workflow stands",
        {200: WorkflowView},
        refusals=(400, 404, 409, 410, 413, 422, 504),
        parameters=[RUN_ID, OpenApiParameter("name", str, description="A query of its job that takes no arguments.")],
    )
    def get(self, request: Request, run_id: str) -> Response:
        run = self.find(request, run_id)
        refuse_unknown(request.query_params, "name")
        name = request.query_params.get("name")
        result = None if name is None else jobs.query(run.id, name)
        return Response(_view(run, result).as_json())


class WorkflowUpdate(Door):
    @operation(
        "workflows_update",
        "Have a workflow handle an update",
        {200: WorkflowUpdated, 202: WorkflowUpdated},
        body=UpdateWorkflow,
        refusals=(404, 409, 504),
        parameters=[RUN_ID, WAIT],
        description="202 when what became of it is not known within `wait`: GET /api/runs/{id}/updates/{updateId}/.",
    )
    def post(self, request: Request, run_id: str) -> Response:
        run = self.find(request, run_id)
        refuse_unknown(request.query_params, "wait")
        wait = read_wait(request.query_params.get("wait"))
        body = read_body(UpdateWorkflow, self.body(request))
        answer = jobs.update(
            run.id, body.updateName, body.data, wait=wait, idempotency_key=body.idempotencyKey,
            actor=self.actor(request),
        )  # fmt: skip
        shown = WorkflowUpdated(
            workflowId=run.id, updateId=answer.id, status=answer.status.upper(), result=answer.result,
            error=(answer.error or {}).get("message"),
        )  # fmt: skip
        return Response(shown.as_json(), status=202 if answer.status == "accepted" else 200)


def _check_user(request: Request, user: str | None) -> None:
    """Nobody starts a workflow in another's name."""
    if user is not None and user not in (str(request.user.pk), request.user.get_username()):
        raise InvalidRequest.of("userId", "must be your own user name or id, or be left out")


def _status(run: Run) -> str:
    return STATUSES[run.status]


def _view(run: Run, result: Any) -> WorkflowView:
    steps = list(Step.objects.filter(run=run).order_by("-id")[:MOST_STEPS])
    last = Event.objects.filter(run=run).order_by("-sequence").values_list("created_at", flat=True).first()
    progress = run.progress or {}
    return WorkflowView(
        workflowId=run.id, status=_status(run), currentIteration=progress.get("current"),
        maxIterations=progress.get("total"), lastUpdate=last or run.finished_at or run.created_at, result=result,
        agentSteps=[
            AgentStep(name=one.name, status=one.status, startedAt=one.started_at, finishedAt=one.finished_at)
            for one in reversed(steps)
        ],
    )  # fmt: skip
