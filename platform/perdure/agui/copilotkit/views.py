"""The runtime's REST API on many addresses. Refusals are `{error, message}`, as its client shows them."""

from collections.abc import Awaitable, Callable, Coroutine
from inspect import iscoroutinefunction
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from perdure.agui.access import sign_in
from perdure.agui.copilotkit import operations, streams
from perdure.agui.copilotkit.operations import Call
from perdure.agui.copilotkit.shapes import reshaped
from perdure.agui.errors import AguiError, MethodNotAllowed, failure, refusal
from perdure.agui.inputs import read_json
from perdure.agui.off_loop import in_thread
from runs.errors import RunsError

Operation = Callable[..., Any]
View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]


async def answered(work: Callable[[], Awaitable[HttpResponseBase]]) -> HttpResponseBase:
    """What the work returns, or why it is refused."""
    try:
        return reshaped(await work())
    except (AguiError, RunsError) as exc:
        return reshaped(_refused(exc))
    except Exception as exc:
        return reshaped(failure(exc))


def operation_of(view: Any, method: str) -> Operation:
    """The operation of a view for a method. Raises MethodNotAllowed."""
    operations_of_view: dict[str, Operation] = view.operations
    found = operations_of_view.get("GET" if method == "HEAD" else method)
    if found is None:
        raise MethodNotAllowed(method, tuple(operations_of_view))
    return found


async def perform(operation: Operation, call: Call, **names: str) -> HttpResponseBase:
    """What it returns is sent as JSON, if it is no response already. Those that are not asynchronous leave the loop."""
    told = await (operation(call, **names) if iscoroutinefunction(operation) else in_thread(operation, call, **names))
    if isinstance(told, HttpResponseBase):
        return told
    response = JsonResponse(told)
    response["Cache-Control"] = "no-store"
    return response


def _view(**operations_of_view: Operation) -> View:
    async def view(request: HttpRequest, **names: str) -> HttpResponseBase:
        async def work() -> HttpResponseBase:
            operation = operation_of(view, str(request.method))
            user = await in_thread(sign_in, request)
            body = await in_thread(read_json, request) if _has_body(request) else {}
            return await perform(operation, Call(request, user, request.GET, body), **names)

        return await answered(work)

    view.operations = operations_of_view  # type: ignore[attr-defined]
    view.csrf_exempt = True  # type: ignore[attr-defined]  # asked in sign_in, whose refusal is JSON
    return view


def _has_body(request: HttpRequest) -> bool:
    """Its client stops a run with the JSON type and nothing in it."""
    if request.method in ("GET", "HEAD"):
        return False
    return request.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in request.headers


def _refused(exc: AguiError | RunsError) -> HttpResponseBase:
    try:
        return refusal(exc)
    except RunsError:
        return failure(exc)


info = _view(GET=operations.info)
run = _view(POST=streams.run)
connect = _view(POST=streams.connect)
stop = _view(POST=operations.stop)
threads = _view(GET=operations.threads)
thread = _view(PATCH=operations.change, DELETE=operations.delete)
archive = _view(POST=operations.archive)
messages = _view(GET=operations.messages)
state = _view(GET=operations.state)
events = _view(GET=streams.events)
