"""REST doors to what a job's own handlers answer and change in a run."""

import math
from datetime import timedelta
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from runs import jobs
from runs.api.documents import RUN_ID, operation
from runs.api.door import Door
from runs.api.errors import InvalidRequest
from runs.api.requests import AskQuery, SendUpdate, read_body, read_text, refuse_unknown
from runs.api.shapes import AnswerShape, UpdateShape
from runs.conf import get_settings
from runs.errors import UpdateNotFound

NAME = OpenApiParameter("name", str, OpenApiParameter.PATH, description="Name of the query; see the job.")
_REFUSALS = (400, 404, 409, 410, 413, 422, 504)


class RunQuery(Door):
    """GET takes the arguments as text in the query string, POST as JSON."""

    @operation(
        "queries_ask",
        "Ask a run a query of its job",
        {200: AnswerShape},
        refusals=_REFUSALS,
        parameters=[RUN_ID, NAME],
        description="The run is neither woken nor changed; one that has ended answers, too. The arguments stand in the "
        "query string, each once, and are read as their types in the handler's schema.",
    )
    def get(self, request: Request, run_id: str, name: str) -> Response:
        return self._answer(request, run_id, name, read_text(request.query_params))

    @operation(
        "queries_ask_with_body",
        "Ask a run a query of its job, with arguments as JSON",
        {200: AnswerShape},
        body=AskQuery,
        refusals=_REFUSALS,
        parameters=[RUN_ID, NAME],
        description="As the GET, for arguments that are no plain text.",
    )
    def post(self, request: Request, run_id: str, name: str) -> Response:
        return self._answer(request, run_id, name, read_body(AskQuery, self.body(request)).arguments)

    def _answer(self, request: Request, run_id: str, name: str, arguments: Any) -> Response:
        run = self.find(request, run_id)
        return Response({"query": name, "result": jobs.query(run.id, name, arguments)})


MAX_WAIT = 30.0
"""Seconds that a request may wait for an update: longer, and proxies hang up."""

WAIT = OpenApiParameter(
    "wait",
    {"type": "number", "minimum": 0, "maximum": MAX_WAIT},
    description="Seconds to wait for the result; without it RUNS_UPDATE_WAIT_SECONDS.",
)


class RunUpdates(Door):
    @operation(
        "updates_send",
        "Have a run handle an update of its job",
        {200: UpdateShape, 202: UpdateShape},
        body=SendUpdate,
        refusals=(404, 409, 504),
        parameters=[RUN_ID, WAIT],
        description="The handler runs inside the run, once, in order of arrival. 200 with what became of it: completed "
        "with `result`, or failed with `error`. 202 when that is not known within `wait`; ask for it at `Location`.",
    )
    def post(self, request: Request, run_id: str) -> Response:
        run = self.find(request, run_id)
        refuse_unknown(request.query_params, "wait")
        wait = read_wait(request.query_params.get("wait"))
        body = read_body(SendUpdate, self.body(request))
        answer = jobs.update(
            run.id,
            body.name,
            body.payload,
            wait=wait,
            idempotency_key=body.idempotency_key,
            actor=self.actor(request),
        )
        location = request.build_absolute_uri(f"{request.path}{answer.id}/")
        status = 202 if answer.status == "accepted" else 200
        return Response(UpdateShape.of(answer), status=status, headers={"Location": location})


class RunUpdate(Door):
    @operation(
        "updates_get",
        "Get what became of an update",
        {200: UpdateShape},
        refusals=(400, 404),
        parameters=[RUN_ID, OpenApiParameter("update_id", {"type": "integer"}, OpenApiParameter.PATH)],
    )
    def get(self, request: Request, run_id: str, update_id: str) -> Response:
        run = self.find(request, run_id)
        refuse_unknown(request.query_params)
        if not (update_id.isascii() and update_id.isdigit() and len(update_id) < 20):
            raise UpdateNotFound(run.id, update_id)
        return Response(UpdateShape.of(jobs.get_update(run.id, int(update_id))))


def read_wait(text: str | None) -> timedelta:
    """Raises InvalidRequest for what is no number of seconds up to MAX_WAIT."""
    if text is None:
        return timedelta(seconds=get_settings().update_wait_seconds)
    try:
        seconds = float(text) if text.isascii() else math.nan
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= MAX_WAIT:
        raise InvalidRequest.of("wait", f"must be a number of seconds from 0 to {MAX_WAIT:g}")
    return timedelta(seconds=seconds)
