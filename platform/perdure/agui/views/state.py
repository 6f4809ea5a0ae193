"""How a run and a thread stand, for pages that were loaded anew: read, never changed."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from perdure.agui.json_doors import answer
from perdure.agui.run_state import shown_run
from perdure.agui.sessions import shown_session


@csrf_exempt  # asked in sign_in, whose refusal is JSON
def state(request: HttpRequest, run_id: str) -> JsonResponse:
    """`GET /ag-ui/state/{run_id}`."""
    return answer(request, {"GET": lambda _, user: shown_run(user, run_id)})


@csrf_exempt
def session(request: HttpRequest, thread_id: str) -> JsonResponse:
    """`GET /ag-ui/sessions/by-thread/{thread_id}`: `null` where nothing is under way."""
    return answer(request, {"GET": lambda _, user: shown_session(user, thread_id)})
