"""How long the server took for a page, told to the browser's own tools."""

import time
from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any, cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware


@sync_and_async_middleware
def server_timing(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """`Server-Timing: app;dur=<milliseconds>` on whatever was read, up to where its body begins.

    Not on what was sent by a form: how long a password's check takes is nobody's business.
    """
    if iscoroutinefunction(get_response):
        respond = cast(Callable[[HttpRequest], Awaitable[HttpResponseBase]], get_response)

        async def timed_async(request: HttpRequest) -> HttpResponseBase:
            began = time.perf_counter()
            return _tell(request, await respond(request), began)

        return timed_async

    def timed(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        return _tell(request, get_response(request), began)

    return timed


def _tell(request: HttpRequest, response: HttpResponseBase, began: float) -> HttpResponseBase:
    if request.method in ("GET", "HEAD"):
        response["Server-Timing"] = f"app;dur={(time.perf_counter() - began) * 1000:.1f}"
    return response
