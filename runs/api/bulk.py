"""REST doors to what is done with many runs at once."""

from collections.abc import Callable
from typing import Any

from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from runs import jobs
from runs.api.documents import operation
from runs.api.door import Door, filtered
from runs.api.requests import CancelRuns, RetryRuns, RunSelection, read_body
from runs.api.shapes import BulkShape
from runs.errors import RunsError
from runs.models import ENDED, Run, RunStatus

_EACH = "Each run for itself, the oldest first; one that refuses does not keep the others from being done."


class BulkDoor(Door):
    def each(self, request: Request, wanted: RunSelection, can: Q, act: Callable[[Run], Any]) -> Response:
        """`act` on the oldest of the wanted runs that the caller may see."""
        rows = filtered(jobs.visible_runs(request.user), wanted).filter(can).order_by("pk")
        chosen = list(rows[: wanted.limit])
        left = rows.filter(pk__gt=chosen[-1].pk).count() if chosen else 0
        refused = []
        for run in chosen:
            try:
                act(run)
            except RunsError as exc:
                refused.append({"id": run.pk, "code": exc.code})
        shown = {"done": len(chosen) - len(refused), "refused": refused, "left": left}
        return Response(BulkShape.model_validate(shown).as_json())


class CancelMany(BulkDoor):
    @operation("runs_cancel_many", "Cancel runs by filter", {200: BulkShape}, body=CancelRuns, description=_EACH)
    def post(self, request: Request) -> Response:
        body, actor = read_body(CancelRuns, self.body(request)), self.actor(request)
        return self.each(
            request, body, ~Q(status__in=ENDED), lambda run: jobs.cancel(run.pk, actor=actor, reason=body.reason)
        )


class RetryMany(BulkDoor):
    @operation("runs_retry_many", "Retry failed runs by filter", {200: BulkShape}, body=RetryRuns, description=_EACH)
    def post(self, request: Request) -> Response:
        body, actor = read_body(RetryRuns, self.body(request)), self.actor(request)
        return self.each(request, body, Q(status=RunStatus.FAILED), lambda run: jobs.retry(run.pk, actor=actor))
