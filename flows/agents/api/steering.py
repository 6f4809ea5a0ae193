"""REST doors to a running flow: where it stands, a message to its agents, single-step mode."""

from rest_framework.request import Request
from rest_framework.response import Response

from flows.agents import interventions
from flows.agents.api import errors  # noqa: F401  (its statuses belong to the table)
from flows.agents.api.steering_shapes import (
    ContinueFlow,
    FlowRunShape,
    MessageShape,
    SingleStepFlow,
    TellFlow,
    message_of,
    shape_of,
)
from runs.api.documents import RUN_ID, operation
from runs.api.door import Door
from runs.api.requests import read_body, refuse_unknown
from runs.errors import RunNotFound
from runs.models import Run


class FlowDoor(Door):
    """A run of another job is not there."""

    def find(self, request: Request, run_id: str) -> Run:
        run = super().find(request, run_id)
        if run.job != interventions.JOB:
            raise RunNotFound(run_id)
        return run

    def stands(self, run: Run) -> Response:
        return Response(shape_of(Run.objects.get(pk=run.pk)), status=202)


class FlowRun(FlowDoor):
    @operation(
        "flow_runs_get",
        "Say where a run of a flow stands",
        {200: FlowRunShape},
        refusals=(400, 404),
        parameters=[RUN_ID],
        description="Its graph, the path that it took, how each transition was chosen, and what people told it.",
    )
    def get(self, request: Request, run_id: str) -> Response:
        run = self.find(request, run_id)
        refuse_unknown(request.query_params)
        return Response(shape_of(run))


class FlowTell(FlowDoor):
    @operation(
        "flow_runs_tell",
        "Tell the agents of a running flow something",
        {202: MessageShape},
        body=TellFlow,
        refusals=(404, 409),
        parameters=[RUN_ID],
        description="It stands in the instruction of the next step. With the policy `interrupt`, where the flow allows "
        "it, an agent at work is stopped, and its step is done again.",
    )
    def post(self, request: Request, run_id: str) -> Response:
        run = self.find(request, run_id)
        body = read_body(TellFlow, self.body(request))
        told = interventions.tell(
            run, body.text, body.policy, actor=self.actor(request), idempotency_key=body.idempotency_key
        )
        return Response(message_of(told), status=202)


class FlowContinue(FlowDoor):
    @operation(
        "flow_runs_continue",
        "Let a flow go on that waits in single-step mode",
        {202: FlowRunShape},
        body=ContinueFlow,
        refusals=(404, 409),
        parameters=[RUN_ID],
        description="A second request before it has gone on changes nothing.",
    )
    def post(self, request: Request, run_id: str) -> Response:
        run = self.find(request, run_id)
        body = read_body(ContinueFlow, self.body(request))
        interventions.let_go_on(run, body.mode, actor=self.actor(request))
        return self.stands(run)


class FlowSingleStep(FlowDoor):
    @operation(
        "flow_runs_single_step",
        "Have a flow wait before each further step, or no longer",
        {202: FlowRunShape},
        body=SingleStepFlow,
        refusals=(404, 409),
        parameters=[RUN_ID],
    )
    def post(self, request: Request, run_id: str) -> Response:
        run = self.find(request, run_id)
        body = read_body(SingleStepFlow, self.body(request))
        interventions.set_single_step(run, body.on, actor=self.actor(request))
        return self.stands(run)
