"""Doors that answer in JSON at once: who calls, which method, and every error in the shape of its door."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, JsonResponse

from perdure.agui.access import sign_in
from perdure.agui.errors import AguiError, MethodNotAllowed, failure, refusal
from runs.errors import RunsError

Handler = Callable[[HttpRequest, Any], Any]
"""Takes the request and its user; returns what is sent as JSON."""


def answer(request: HttpRequest, handlers: Mapping[str, Handler]) -> JsonResponse:
    """What the handler of the request's method returns, for somebody who is signed in; else the refusal."""
    try:
        handler = handlers.get("GET" if request.method == "HEAD" else str(request.method))
        if handler is None:
            raise MethodNotAllowed(str(request.method), tuple(handlers))
        response = JsonResponse(handler(request, sign_in(request)), safe=False)
    except (AguiError, RunsError) as exc:
        return refusal(exc)
    except Exception as exc:
        return failure(exc)
    response["Cache-Control"] = "no-store"
    return response
