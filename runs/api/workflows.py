"""The workflow API: runs under the names and shapes of agent servers. The same doors, in another dialect."""

import functools
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from runs import jobs
from runs.api.documents import RUN_ID, operation
from runs.api.door import Door
from runs.api.errors import InvalidRequest
from runs.api.handlers import WAIT, read_wait
from runs.api.requests import read_body, refuse_unknown
from runs.api.workflow_shapes import (
    SignalWorkflow,
    StartWorkflow,
    UpdateWorkflow,
    WorkflowSignalled,
    WorkflowStarted,
    WorkflowUpdated,
    WorkflowView,
)
from runs.api.workflow_view import read_view
from runs.conf import get_settings
from runs.models import Run


class WorkflowStart(Door):
    @operation(
        "workflows_start",
        "Start a workflow",
        {201: WorkflowStarted, 200: WorkflowStarted},
        body=StartWorkflow,
        refusals=(404, 409),
        description="A run of the job or of the agent flow `workflow`. 200 with the run that the idempotency key "
        "already started.",
    )
    def post(self, request: Request) -> Response:
        body = read_body(StartWorkflow, self.body(request))
        name = body.workflow or get_settings().workflow_job
        if not name:
            raise InvalidRequest.of("workflow", "must name a job; no PERDURE_WORKFLOW_JOB is set")
        given = body.model_dump(mode="json", include={"projectId", "task", "metadata"}, exclude_unset=True)
        begin = jobs.workflow_named(name, given) or functools.partial(jobs.start, name, given)
        started = begin(
            owner=request.user, labels=_claimed_user(request, body.userId), idempotency_key=body.idempotencyKey,
            actor=self.actor(request),
        )  # fmt: skip
        status = 201 if started.disposition == "created" else 200
        return Response(WorkflowStarted.of(started.run).as_json(), status=status)


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
        result = _output(run) if name is None else jobs.query(run.id, name)
        return Response(read_view(run, result).as_json())


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


def _claimed_user(request: Request, user: str | None) -> dict[str, str]:
    """Whom a client says that it acts for: nobody starts a workflow in another's name, so it is a label and no more."""
    is_own = user in (None, "", str(request.user.pk), request.user.get_username())
    return {} if user is None or is_own else {"userId": user}


def _output(run: Run) -> Any:
    return jobs.redact(run.output, run.secrets.get("output", []))
