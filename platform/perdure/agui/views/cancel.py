"""`DELETE /ag-ui/run/{run_id}`: stops the whole turn that the protocol run is of."""

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from perdure.agui.access import actor_of
from perdure.agui.cancelling import cancel_run
from perdure.agui.door import door
from perdure.agui.off_loop import in_thread


@door("DELETE")
async def cancel(request: HttpRequest, user: Any, run_id: str) -> HttpResponseBase:
    await in_thread(lambda: cancel_run(user, run_id, actor_of(request, user)))
    return JsonResponse({"status": "cancelled", "runId": run_id})
