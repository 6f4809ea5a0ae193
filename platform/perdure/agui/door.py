"""What every view of AG-UI does with a request: who calls, by which method, and errors in the one shape."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from perdure.agui.access import sign_in
from perdure.agui.errors import AguiError, MethodNotAllowed, failure, refusal
from perdure.agui.off_loop import in_thread
from runs.errors import RunsError

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Any, P], Coroutine[Any, Any, HttpResponseBase]]


def door(
    *methods: str,
) -> Callable[[View[P]], Callable[Concatenate[HttpRequest, P], Coroutine[Any, Any, HttpResponseBase]]]:
    """Make a view of an `async def (request, user, ...)`. Refusals it raises are answered before anything is sent.

    The view is exempt of Django's CSRF middleware, whose answer is a page; `sign_in` checks sessions itself.
    """

    def decorate(view: View[P]) -> Callable[Concatenate[HttpRequest, P], Coroutine[Any, Any, HttpResponseBase]]:
        @wraps(view)
        async def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            try:
                if request.method not in methods:
                    raise MethodNotAllowed(str(request.method), methods)
                user = await in_thread(sign_in, request)
                return await view(request, user, *args, **kwargs)
            except (AguiError, RunsError) as exc:
                return _refused(exc)
            except Exception as exc:
                return failure(exc)

        answer.csrf_exempt = True  # type: ignore[attr-defined]
        return answer

    return decorate


def _refused(exc: AguiError | RunsError) -> HttpResponseBase:
    try:
        return refusal(exc)
    except RunsError:
        return failure(exc)
