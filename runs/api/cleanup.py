"""The REST door to clean-up: over every team's runs, so for staff that may delete runs."""

from typing import Any

from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response

from runs.api.documents import operation
from runs.api.door import Door
from runs.api.requests import Prune, read_body
from runs.api.shapes import PrunedShape
from runs.maintenance.retention import REQUEST_SECONDS, parse_age, prune


class MayDeleteRuns(IsAdminUser):
    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) and request.user.has_perm("runs.delete_run")


class CleanUp(Door):
    permission_classes = (MayDeleteRuns,)

    @operation(
        "prune",
        "Remove ended runs and histories that are old enough; staff only",
        {200: PrunedShape},
        body=Prune,
        refusals=(404,),
        description="For staff with the permission to delete runs. `dry_run` only tells what would be removed. "
        "An answer that is not `complete` stopped early; ask again.",
    )
    def post(self, request: Request) -> Response:
        body = read_body(Prune, self.body(request))
        age = None if body.older_than is None else parse_age(body.older_than)
        pruned = prune(age, body.job, body.dry_run, seconds=REQUEST_SECONDS, actor=self.actor(request))
        return Response(PrunedShape.model_validate(pruned).as_json())
