"""REST doors of operators: which versions of a job runs have, and new runs get."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response

from runs import jobs
from runs.api.documents import RUN_ID, operation
from runs.api.door import Door
from runs.api.requests import MoveRun, SetRollout, read_body
from runs.api.shapes import RunShape
from runs.api.version_shapes import RolloutShape


class MayChangeRuns(IsAdminUser):
    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) and request.user.has_perm("runs.change_run")


class RunMove(Door):
    permission_classes = (MayChangeRuns,)

    @operation(
        "runs_move",
        "Move a run to another version of its job; staff only",
        {200: RunShape},
        body=MoveRun,
        refusals=(404, 409),
        parameters=[RUN_ID],
        description="For staff with the permission to change runs. Its history is replayed against that version "
        "first; nothing is called or written by that. 409 if it does not fit, or while a worker drives the run.",
    )
    def post(self, request: Request, run_id: str) -> Response:
        run = self.find(request, run_id)
        body = read_body(MoveRun, self.body(request))
        jobs.move_version(run.id, body.version, actor=self.actor(request))
        return Response(self.shown(request, run.id))


JOB_NAME = OpenApiParameter(
    "name", {"type": "string", "minLength": 1, "maxLength": 200}, OpenApiParameter.PATH, description="Name of the job."
)


class MayRollOut(IsAdminUser):
    """Each method has its own permission on rollouts."""

    _VERBS = {"GET": "view", "HEAD": "view", "OPTIONS": "view", "PUT": "change", "DELETE": "delete"}

    def has_permission(self, request: Request, view: Any) -> bool:
        verb = self._VERBS.get(request.method or "", "change")
        return super().has_permission(request, view) and request.user.has_perm(f"runs.{verb}_rollout")


class JobRollout(Door):
    permission_classes = (MayRollOut,)

    @operation(
        "rollouts_get", "Get a job's rollout; staff only", {200: RolloutShape}, refusals=(404,), parameters=[JOB_NAME]
    )
    def get(self, request: Request, name: str) -> Response:
        return Response(RolloutShape.of(jobs.get_rollout(name)))

    @operation(
        "rollouts_set",
        "Give a share of a job's new runs another version; staff only",
        {200: RolloutShape},
        body=SetRollout,
        refusals=(404,),
        parameters=[JOB_NAME],
        description="For staff with the permission to change rollouts. Runs of one concurrency key get the same "
        "version, and a larger share holds all of a smaller one. Runs that name a version, and those started before, "
        "keep theirs. 0 percent is the way back.",
    )
    def put(self, request: Request, name: str) -> Response:
        body = read_body(SetRollout, self.body(request))
        rollout = jobs.set_rollout(name, body.version, body.percent, base=body.base, actor=self.actor(request))
        return Response(RolloutShape.of(rollout))

    @operation(
        "rollouts_end",
        "End a job's rollout; staff only",
        {204: None},
        refusals=(404,),
        parameters=[JOB_NAME],
        description="New runs get the version that was registered last.",
    )
    def delete(self, request: Request, name: str) -> Response:
        jobs.end_rollout(name, actor=self.actor(request))
        return Response(status=204)
