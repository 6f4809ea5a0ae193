"""`/ag-ui/run`: a POST has a run, a GET reads one."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from perdure.agui.answering import answer_request
from perdure.agui.door import door
from perdure.agui.inputs import read_json, read_run_input
from perdure.agui.views.stream import read


@csrf_exempt  # asked in sign_in, whose refusal is JSON
async def run(request: HttpRequest) -> HttpResponseBase:
    """`POST` a RunAgentInput, for its events; `GET` as `views.stream.read`."""
    return await (read(request) if request.method in ("GET", "HEAD") else _have_run(request))


@door("POST", "GET", "HEAD")
async def _have_run(request: HttpRequest, user: Any) -> HttpResponseBase:
    return await answer_request(request, user, lambda: read_run_input(read_json(request)))
