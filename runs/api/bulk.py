"""REST doors to what is done with many runs at once."""

from collections.abc import Callable
from typing import Any

from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from runs import jobs
from runs.api.bulk_shapes import BulkShape, StartedRuns
from runs.api.documents import operation
from runs.api.door import Door, filtered
from runs.api.requests import CancelRuns, RetryRuns, RunSelection, StartRuns, read_body
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


class StartMany(Door):
    @operation(
        "runs_start_many",
        "Start many runs at once",
        {200: StartedRuns},
        body=StartRuns,
        refusals=(404, 409),
        description="All of them, or none where one is refused. Each as a request of its own would be, but that an "
        "input stands two levels deeper here; 413 tells of a body that is too large, and then fewer go at once.",
    )
    def post(self, request: Request) -> Response:
        body, actor = read_body(StartRuns, self.body(request)), self.actor(request)
        teams = {name: self.team_of(request, name) for name in {run.team for run in body.runs}}
        wanted = [
            jobs.NewRun(  # no copy of its input
                **dict(run)
                | {"team": teams[run.team], "owner": request.user}
                | {"budget": run.budget.given() if run.budget else None}
            )
            for run in body.runs
        ]
        started = jobs.start_many(wanted, actor=actor)
        shown = [{"id": one.run.id, "disposition": one.disposition} for one in started]
        return Response(StartedRuns.model_validate({"runs": shown}).as_json())


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
