"""Statuses of what pipelines are refused for, and the shape in which the pipeline API tells of errors."""

from typing import Any

from rest_framework.response import Response

from runs.api.errors import STATUS, handle_error

STATUS |= {
    "pipeline_not_found": 404,
    "invalid_pipeline": 400,
    "pipeline_exists": 409,
    "step_not_in_pipeline": 400,
    "invalid_pipeline_input": 400,
    "stream_window_passed": 410,
}
_CODES = {
    "bad_request": "invalid_request", "malformed_json": "invalid_request", "invalid_input": "invalid_request",
    "invalid_option": "invalid_request", "invalid_pipeline_input": "invalid_request",
    "step_not_in_pipeline": "invalid_request", "invalid_pipeline": "invalid_request", "run_not_found": "not_found",
    "invalid_profile": "invalid_request",
    "pipeline_not_found": "invalid_request",
}  # fmt: skip
"""The words of this API for what other doors call by finer names."""


def handle_v1_error(exc: Exception, context: dict[str, Any]) -> Response:
    """Every error of a view below /v1/, with the statuses of the other doors."""
    response = handle_error(exc, context)
    error = response.data["error"]
    told = {"code": _CODES.get(error["code"], error["code"]), "message": error["message"]}
    if error["code"] == "run_not_found":
        told["message"] = "There is no such job. Check its id, or list the jobs at /v1/jobs."
    if error["code"] == "pipeline_not_found":
        response.status_code = 400  # the address is right, and what was sent to it is not
    response.data = {"error": told | ({"details": error["details"]} if error["details"] else {})}
    return response
