"""`GET /ag-ui/capabilities[?agent=]`: which agents there are, and what they can do."""

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from perdure.agui.capabilities import shown_capabilities
from perdure.agui.json_doors import answer


@csrf_exempt  # asked in sign_in, whose refusal is JSON
def capabilities(request: HttpRequest) -> JsonResponse:
    def shown(request: HttpRequest, user: Any) -> Any:
        return shown_capabilities(request.GET.get("agent"))

    return answer(request, {"GET": shown})
