"""Reading runs and threads: a run's stream again, from its start or from the last event that was read; a thread."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from perdure.agui.access import AguiViewer
from perdure.agui.door import door
from perdure.agui.errors import InvalidInput
from perdure.agui.hydrating import hydrate, parse_limit
from perdure.agui.off_loop import in_thread
from perdure.agui.stream import sse_response
from perdure.agui.turns import find_protocol_runs

FROM_THE_START = "-1"


@door("GET", "HEAD")
async def stream(request: HttpRequest, user: Any, run_id: str) -> HttpResponseBase:
    """`GET /ag-ui/stream/{run_id}`: its events, of all its parts; with `Last-Event-ID` those after that one."""
    return await _stream(request, user, run_id)


@door("GET", "HEAD")
async def read(request: HttpRequest, user: Any) -> HttpResponseBase:
    """`?runId=[&offset=]` joins a run, `?threadId=[&limit=&before=]` is what a page that is loaded anew shows."""
    run_id, thread_id = request.GET.get("runId"), request.GET.get("threadId")
    if run_id is not None:
        # With snapshots, at which a page drops what it shows of the answer: at its first text, it would drop the
        # reasoning before it, and never show that text.
        return await _stream(request, user, run_id, snapshots=True)
    if thread_id is None:
        raise InvalidInput.of("runId", "is missing, and so is threadId")
    limit = parse_limit(request.GET.get("limit"))
    found = await in_thread(hydrate, user, thread_id, limit, request.GET.get("before"))
    response = JsonResponse(found)
    response["Cache-Control"] = "no-store"
    return response


async def _stream(request: HttpRequest, user: Any, run_id: str, *, snapshots: bool = False) -> HttpResponseBase:
    parts = await in_thread(find_protocol_runs, user, run_id)
    response = await sse_response(
        AguiViewer.of_request(request), parts, last_event_id=_last_event_id(request), joins=True, snapshots=snapshots,
        compat=request.GET.get("compat") == "jobworkerp",
    )  # fmt: skip
    response["x-ag-ui-run-id"] = run_id
    response["x-ag-ui-session-id"] = str(parts[-1].turn_id)
    if request.method == "HEAD":
        return HttpResponse(headers=response.headers)
    return response


def _last_event_id(request: HttpRequest) -> str | None:
    """The header counts before `offset`, which begins at the start when it is -1."""
    offset = request.GET.get("offset", FROM_THE_START)
    return request.headers.get("Last-Event-ID") or (None if offset == FROM_THE_START else offset)
