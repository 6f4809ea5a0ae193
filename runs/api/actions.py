"""REST doors to what is done with one run that is there."""

from rest_framework.request import Request
from rest_framework.response import Response

from runs import jobs
from runs.api.documents import RUN_ID, operation
from runs.api.door import Door
from runs.api.requests import CancelRun, ForkRun, GrantBudget, PauseRun, read_body
from runs.api.shapes import RunShape
from runs.errors import MayNotGrant


class RunCancel(Door):
    @operation("runs_cancel", "Cancel a run", {200: RunShape}, body=CancelRun, refusals=(404, 409), parameters=[RUN_ID])
    def post(self, request: Request, run_id: str) -> Response:
        run = self.find(request, run_id)
        body = read_body(CancelRun, self.body(request))
        jobs.cancel(run.id, actor=self.actor(request), reason=body.reason)
        return Response(self.shown(request, run.id))


class RunPause(Door):
    @operation(
        "runs_pause",
        "Pause a run",
        {200: RunShape},
        body=PauseRun,
        refusals=(404, 409),
        parameters=[RUN_ID],
        description="A running run stays so until its running steps have ended.",
    )
    def post(self, request: Request, run_id: str) -> Response:
        run = self.find(request, run_id)
        body = read_body(PauseRun, self.body(request))
        jobs.pause(run.id, actor=self.actor(request), reason=body.reason)
        return Response(self.shown(request, run.id))


class RunResume(Door):
    @operation("runs_resume", "Resume a paused run", {200: RunShape}, refusals=(400, 404, 409), parameters=[RUN_ID])
    def post(self, request: Request, run_id: str) -> Response:
        run = self.find(request, run_id)
        self.refuse_body(request)
        jobs.resume(run.id, actor=self.actor(request))
        return Response(self.shown(request, run.id))


class RunRetry(Door):
    @operation(
        "runs_retry",
        "Retry a failed run from the step that failed it",
        {200: RunShape},
        refusals=(400, 404, 409),
        parameters=[RUN_ID],
    )
    def post(self, request: Request, run_id: str) -> Response:
        run = self.find(request, run_id)
        self.refuse_body(request)
        jobs.retry(run.id, actor=self.actor(request))
        return Response(self.shown(request, run.id))


class RunRetrigger(Door):
    @operation(
        "runs_retrigger",
        "Start a run again as a new run",
        {201: RunShape},
        refusals=(400, 404, 409),
        parameters=[RUN_ID],
        description="The new run has the same job, version, input, labels and team; one of a team is yours.",
    )
    def post(self, request: Request, run_id: str) -> Response:
        run = self.find(request, run_id)
        self.refuse_body(request)
        started = jobs.retrigger(run.id, starter=request.user, actor=self.actor(request))
        return self.made(request, started.run)


class RunBudget(Door):
    @operation(
        "runs_grant",
        "Grant a run more of its budget",
        {200: RunShape},
        body=GrantBudget,
        refusals=(400, 403, 404, 409),
        parameters=[RUN_ID],
        description="Runs that wait for it go on, and what people are asked about it is withdrawn. Who may answer that "
        "question may do this: the team of the run whose budget it is, and administrators.",
    )
    def post(self, request: Request, run_id: str) -> Response:
        run = self.find(request, run_id)
        body = read_body(GrantBudget, self.body(request))
        if not jobs.may_grant(request.user, run):
            raise MayNotGrant(run.id)
        jobs.grant_budget(run.id, body.model_dump(exclude_none=True), actor=self.actor(request))
        return Response(self.shown(request, run.id))


class RunFork(Door):
    @operation(
        "runs_fork",
        "Start a new run from a step of an old one",
        {201: RunShape},
        body=ForkRun,
        refusals=(404, 409),
        parameters=[RUN_ID],
        description="The run of a team is yours. With another input or other results it begins no later than at the "
        "first step that asked people: what they decided does not hold for what they were not shown. Of "
        "somebody else's run it keeps no secrets then, neither of its input nor of its steps.",
    )
    def post(self, request: Request, run_id: str) -> Response:
        run = self.find(request, run_id)
        body = read_body(ForkRun, self.body(request))
        forked = jobs.fork(
            run.id, body.step, input=body.input, outputs=body.outputs, starter=request.user, actor=self.actor(request)
        )
        return self.made(request, forked)
