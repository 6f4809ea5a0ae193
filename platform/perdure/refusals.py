"""Answers that no view gives: below the doors of programs in the shape of their errors, elsewhere as pages."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults

from perdure.dashboard import errors

API = ("/api/", "/v1/", "/ag-ui/", "/copilotkit/")
CODES = {"bad_request": "invalid_request"}
"""The words of the pipeline API, where they are others."""
WHERE_TO_LOOK = {
    "/api/": "Addresses end with a slash; /api/schema/ lists them.",
    "/v1/": "/api/schema/ lists them.",
    "/ag-ui/": "The reference of AG-UI lists the addresses; /ag-ui/capabilities says what is served.",
    "/copilotkit/": "Give /copilotkit as the runtime's URL; /copilotkit/info says what is served.",
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path_info.startswith(API):
        return _refuse(request, 400, "bad_request", "The request cannot be read. Check its headers, host and address.")
    return errors.show_bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path_info.startswith(API):
        hint = f"There is nothing at {request.path_info}. {WHERE_TO_LOOK[_door(request)]}"
        return _refuse(request, 404, "not_found", hint)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path_info.startswith(API):
        said = "The server failed at this request; its log says why. Try again later."
        return _refuse(request, 500, "internal_error", said)
    return defaults.server_error(request)


def _door(request: HttpRequest) -> str:
    return next(door for door in API if request.path_info.startswith(door))


def _refuse(request: HttpRequest, status: int, code: str, message: str) -> JsonResponse:
    return JsonResponse(_shaped(_door(request), code, message), status=status)


def _shaped(door: str, code: str, message: str) -> dict[str, Any]:
    if door == "/copilotkit/":
        return {"error": code.upper(), "message": message}
    if door == "/ag-ui/":
        return {"error": {"code": code.upper(), "message": message}}
    if door == "/v1/":
        return {"error": {"code": CODES.get(code, code), "message": message}}
    return {"error": {"code": code, "message": message, "details": {}}}
