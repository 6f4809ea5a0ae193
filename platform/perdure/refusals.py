"""Answers that no view gives: below `/api/` and `/v1/` in the shape of their errors, elsewhere as pages."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults

from perdure.dashboard.views import errors

API = ("/api/", "/v1/")
CODES = {"bad_request": "invalid_request"}
"""The words of the pipeline API, where they are others."""


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path_info.startswith(API):
        return _refuse(request, 400, "bad_request", "The request cannot be read. Check its headers, host and address.")
    return errors.show_bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path_info.startswith(API):
        rule = "" if _is_v1(request) else "Addresses end with a slash; "
        hint = f"There is nothing at {request.path_info}. {rule}/api/schema/ lists them."
        return _refuse(request, 404, "not_found", hint)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path_info.startswith(API):
        said = "The server failed at this request; its log says why. Try again later."
        return _refuse(request, 500, "internal_error", said)
    return defaults.server_error(request)


def _is_v1(request: HttpRequest) -> bool:
    return request.path_info.startswith("/v1/")


def _refuse(request: HttpRequest, status: int, code: str, message: str) -> JsonResponse:
    if _is_v1(request):
        return JsonResponse({"error": {"code": CODES.get(code, code), "message": message}}, status=status)
    return JsonResponse({"error": {"code": code, "message": message, "details": {}}}, status=status)
