"""`GET /ag-ui/capabilities[?agent=]`: which agents there are, and what they can do."""

from typing import Any

from django.http import HttpRequest, JsonResponse

from perdure.agui.capabilities import shown_capabilities
from perdure.agui.json_doors import answer


def capabilities(request: HttpRequest) -> JsonResponse:
    def shown(request: HttpRequest, user: Any) -> Any:
        return shown_capabilities(request.GET.get("agent"))

    return answer(request, {"GET": shown})
