"""REST doors of operators: which version of a job a run has."""

from typing import Any

from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response

from runs import jobs
from runs.api.documents import RUN_ID, operation
from runs.api.door import Door
from runs.api.requests import MoveRun, read_body
from runs.api.shapes import RunShape


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
