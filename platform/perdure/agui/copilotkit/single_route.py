"""The same on one address: `POST /copilotkit {method, params, body}`, for clients that cannot reach the many."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

from perdure.agui.access import sign_in
from perdure.agui.copilotkit import views
from perdure.agui.copilotkit.operations import Call
from perdure.agui.errors import InvalidInput, MethodNotAllowed
from perdure.agui.inputs import read_json
from perdure.agui.off_loop import in_thread

URLS = "perdure.agui.copilotkit.urls"
METHODS: dict[str, tuple[Any, str, dict[str, str]]] = {
    "info": (views.info, "GET", {}),
    "agent/run": (views.run, "POST", {"agent_id": "agentId"}),
    "agent/connect": (views.connect, "POST", {"agent_id": "agentId"}),
    "agent/stop": (views.stop, "POST", {"agent_id": "agentId", "thread_id": "threadId"}),
}
RESOURCE = "resource/request"


async def single(request: HttpRequest) -> HttpResponseBase:
    """Dispatch the envelope to what the address of its own would do."""

    async def work() -> HttpResponseBase:
        if request.method != "POST":
            raise MethodNotAllowed(str(request.method), ("POST",))
        user = await in_thread(sign_in, request)
        envelope = await in_thread(read_json, request)
        operation, query, names = _resource(envelope) if envelope.get("method") == RESOURCE else _method(envelope)
        call = Call(request, user, query, _object(envelope, "body"))
        return await views.perform(operation, call, **names)

    return await views.answered(work)


single.csrf_exempt = True  # type: ignore[attr-defined]  # asked in sign_in, whose refusal is JSON


def _method(envelope: Mapping[str, Any]) -> tuple[views.Operation, QueryDict, dict[str, str]]:
    found = METHODS.get(str(envelope.get("method")))
    if found is None:
        raise InvalidInput.of("method", f"must be one of {', '.join((*METHODS, RESOURCE))}")
    view, method, wanted = found
    params = _object(envelope, "params")
    return views.operation_of(view, method), QueryDict(), {name: _text(params, key) for name, key in wanted.items()}


def _resource(envelope: Mapping[str, Any]) -> tuple[views.Operation, QueryDict, dict[str, str]]:
    """`params: {path, httpMethod}` of a thread's address. Raises InvalidInput for any other address."""
    params = _object(envelope, "params")
    try:
        parts = urlsplit(_text(params, "path"))
    except ValueError:
        raise InvalidInput.of("params.path", "is no address") from None
    if parts.scheme or parts.netloc or not (parts.path == "/threads" or parts.path.startswith("/threads/")):
        raise InvalidInput.of("params.path", "must be /threads or an address below it")
    try:
        match = resolve(unquote(parts.path), urlconf=URLS)
    except Resolver404:
        raise InvalidInput.of("params.path", "is no address of a thread") from None
    return views.operation_of(match.func, _text(params, "httpMethod").upper()), QueryDict(parts.query), match.kwargs


def _object(envelope: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = envelope.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput.of(name, "must be an object")
    return value


def _text(params: Mapping[str, Any], name: str) -> str:
    value = params.get(name)
    if not (isinstance(value, str) and value.strip()):
        raise InvalidInput.of(f"params.{name}", "must be a text")
    return value
