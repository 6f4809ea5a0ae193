"""`POST /ag-ui/message`: results for a run that waits for them, as the older front took them."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from perdure.agui.answering import answer_request
from perdure.agui.call_results import read_call_results
from perdure.agui.door import door
from perdure.agui.inputs import read_json


@door("POST")
async def message(request: HttpRequest, user: Any) -> HttpResponseBase:
    """`{runId, toolCallResults: [{toolCallId, result}]}`, for the events of what goes on then."""
    return await answer_request(request, user, lambda: read_call_results(user, read_json(request)))
