"""Answers that no view gives: below `/api/` in the shape of the API's errors, elsewhere as pages."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults

from perdure.dashboard.views import errors

API = "/api/"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path_info.startswith(API):
        return _refuse(400, "bad_request", "The request cannot be read. Check its headers, host and address.")
    return errors.show_bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path_info.startswith(API):
        hint = f"There is nothing at {request.path_info}. Addresses end with a slash; /api/schema/ lists them."
        return _refuse(404, "not_found", hint)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path_info.startswith(API):
        return _refuse(500, "internal_error", "The server failed at this request; its log says why. Try again later.")
    return defaults.server_error(request)


def _refuse(status: int, code: str, message: str) -> JsonResponse:
    return JsonResponse({"error": {"code": code, "message": message, "details": {}}}, status=status)
