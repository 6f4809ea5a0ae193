"""REST doors to what a job's own handlers answer and change in a run."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from runs import jobs
from runs.api.documents import RUN_ID, operation
from runs.api.door import Door
from runs.api.requests import AskQuery, read_body, read_text
from runs.api.shapes import AnswerShape

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
