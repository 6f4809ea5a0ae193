"""What the OpenAPI document says beside the shapes: the refusals of each operation, parameters, security."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from pydantic import BaseModel

from runs.api.pages import MAX_LIMIT
from runs.api.shapes import ErrorBody
from runs.models import RunStatus

F = TypeVar("F", bound=Callable[..., Any])

_REFUSALS = {
    400: "What was sent does not fit.",
    401: "No sign-in, or a token that is refused.",
    403: "Not allowed, or the CSRF token of a session is missing.",
    404: "Not there, or not for you.",
    406: "Only JSON is sent.",
    409: "It cannot be done in this state.",
    410: "The history that it needs is cleaned up.",
    413: "The body or a payload is too large.",
    415: "Only JSON is read.",
    422: "The job's handler failed.",
    504: "The job's handler took too long.",
}
JSON = "application/json"
_ALWAYS = (401, 403, 406)
_WITH_BODY = (400, 413, 415)

RUN_ID = OpenApiParameter(
    "run_id", {"type": "string", "format": "uuid"}, OpenApiParameter.PATH, description="Id of the run."
)
PAGE = [
    OpenApiParameter("cursor", str, description="From the address in `next` or `previous`."),
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}, description="Rows on the page."),
]
FILTERS = [
    OpenApiParameter("job", str),
    OpenApiParameter("queue", str),
    OpenApiParameter(
        "status",
        {"type": "array", "items": {"type": "string", "enum": RunStatus.values}},
        explode=True,
        description="May be repeated.",
    ),
    OpenApiParameter("owner", str, description="User name."),
    OpenApiParameter("team", str, description="Name of the team."),
    OpenApiParameter("created_after", {"type": "string", "format": "date-time"}),
    OpenApiParameter("created_before", {"type": "string", "format": "date-time"}),
]


def operation(
    name: str,
    summary: str,
    answers: Mapping[Any, type[BaseModel] | Any],
    *,
    body: type[BaseModel] | None = None,
    refusals: tuple[int, ...] = (),
    parameters: list[OpenApiParameter] | None = None,
    description: str = "",
    error: type[BaseModel] = ErrorBody,
) -> Callable[[F], F]:
    """A decorator for a view's method: everything that it may answer, refusals (as `error`) included."""
    codes = {*_ALWAYS, *refusals, *(_WITH_BODY if body else ())}
    documented = {(code, JSON): OpenApiResponse(error, description=_REFUSALS[code]) for code in sorted(codes)}
    return extend_schema(
        operation_id=name,
        summary=summary,
        # Without one the docstring of the view's base would stand here.
        description=description or f"{summary}.",
        request=body,
        responses={**answers, **documented},
        parameters=parameters or [],
    )
