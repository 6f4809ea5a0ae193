"""`/ag-ui/threads/`: a person's and their teams' threads: listed, read, renamed, archived, deleted."""

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from perdure.agui.access import actor_of
from perdure.agui.hydrating import read_thread
from perdure.agui.inputs import read_json
from perdure.agui.json_doors import answer
from perdure.agui.thread_queries import ThreadQuery, change_thread
from perdure.agui.thread_shapes import thread_now_shape, thread_shape
from perdure.agui.threads import delete_thread, get_thread


@csrf_exempt  # asked in sign_in, whose refusal is JSON
def threads(request: HttpRequest) -> JsonResponse:
    """`GET ?agent=&archived=&limit=&cursor=`: a page, the last used first."""
    return answer(request, {"GET": _list})


@csrf_exempt
def thread(request: HttpRequest, thread_id: str) -> JsonResponse:
    """`GET` with messages and state, `PATCH {title?, archived?}`, `DELETE` (cancels what is under way)."""

    def read(request: HttpRequest, user: Any) -> Any:
        found = get_thread(user, thread_id)
        now = read_thread(found)
        found.refresh_from_db()
        return thread_now_shape(found, now)

    def change(request: HttpRequest, user: Any) -> Any:
        return thread_shape(change_thread(request, user, thread_id, read_json(request), "title"))

    def delete(request: HttpRequest, user: Any) -> Any:
        delete_thread(user, thread_id, actor=actor_of(request, user))
        return {"threadId": thread_id, "deleted": True}

    return answer(request, {"GET": read, "PATCH": change, "DELETE": delete})


def _list(request: HttpRequest, user: Any) -> Any:
    found, cursor = ThreadQuery.of(request.GET).find(user)
    shape: dict[str, Any] = {"threads": [thread_shape(one) for one in found]}
    return shape | ({"nextCursor": cursor} if cursor else {})
