"""The stream that a client gets for what it sent, at whichever door."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse

from perdure.agui.access import AguiViewer, actor_of
from perdure.agui.decisions import Decision, decide
from perdure.agui.encoding import stream_response
from perdure.agui.hydrating import open_hydration
from perdure.agui.inputs import RunInput
from perdure.agui.off_loop import in_thread
from perdure.agui.stream import Batches, open_stream
from runs.jobs import Actor
from runs.live.access import Viewer

OLDER = "jobworkerp"


async def answer_request(request: HttpRequest, user: Any, read: Callable[[], RunInput]) -> StreamingHttpResponse:
    """Decide about what `read` makes of the request, and stream what comes of it.

    `?compat=jobworkerp` gives the events' older shape. Raises AguiError and RunsError before there are any.
    """

    def decided() -> tuple[RunInput, Decision]:
        wanted = read()
        return wanted, decide(user, wanted, request.headers.get("Last-Event-ID"), actor_of(request, user))

    wanted, decision = await in_thread(decided)
    batches = await open_decision(AguiViewer.of_request(request), user, wanted, decision)
    response = stream_response(batches, older=request.GET.get("compat") == OLDER)
    response["x-ag-ui-run-id"] = wanted.run_id
    if decision.turn is not None:
        response["x-ag-ui-session-id"] = str(decision.turn.pk)
    return response


async def open_answer(
    viewer: Viewer, user: Any, wanted: RunInput, actor: Actor, last_event_id: str | None = None
) -> Batches:
    """The same without HTTP."""
    decision = await in_thread(decide, user, wanted, last_event_id, actor)
    return await open_decision(viewer, user, wanted, decision)


async def open_decision(viewer: Viewer, user: Any, wanted: RunInput, decision: Decision) -> Batches:
    if decision.kind == "hydrate":
        return await open_hydration(viewer, user, wanted.thread_id, wanted.run_id, wanted.protocol_version)
    return await open_stream(viewer, decision.protocol_runs, last_event_id=decision.last_event_id)
