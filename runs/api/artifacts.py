"""REST doors to the files that a run has saved: handed out, never shown, since what a run writes is no page of ours."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response

from runs import jobs
from runs.api.documents import PAGE, RUN_ID, operation
from runs.api.door import Door
from runs.api.errors import InvalidRequest
from runs.api.pages import page
from runs.api.requests import refuse_unknown
from runs.api.shapes import Page, Shape
from runs.models import Artifact

NAME = OpenApiParameter("name", str, OpenApiParameter.PATH, description="Name of the artefact.")
VERSION = OpenApiParameter("version", {"type": "integer", "minimum": 1}, description="Without it the newest.")


class ArtifactShape(Shape):
    """One version of a file that a run has saved."""

    name: str
    version: int = Field(description="From 1 in its run and name.")
    media_type: str
    size: int = Field(description="In bytes.")
    digest: str = Field(description="SHA-256 of the content, in hexadecimal.")
    step: str = Field(description="The step that saved it.")
    created_at: datetime

    @classmethod
    def of(cls, saved: Artifact) -> dict[str, Any]:
        rest = {name: getattr(saved, name) for name in cls.model_fields if name != "step"}
        return cls(**rest, step=saved.step_name).as_json()


class ArtifactPage(Page[ArtifactShape]):
    """A page of artefacts in the order in which they were saved."""


class RunArtifacts(Door):
    @operation(
        "artifacts_list",
        "List the files that a run has saved, every version",
        {200: ArtifactPage},
        refusals=(400, 404),
        parameters=[RUN_ID, *PAGE],
    )
    def get(self, request: Request, run_id: str) -> Response:
        refuse_unknown(request.query_params, "cursor", "limit")
        rows = Artifact.objects.filter(run=self.find(request, run_id))
        return Response(page(request, rows, ArtifactShape.of))


class RunArtifact(Door):
    @operation(
        "artifacts_download",
        "Download a file that a run has saved",
        {(200, "*/*"): OpenApiResponse(OpenApiTypes.BINARY, description="The content, to be kept as a file.")},
        refusals=(400, 404),
        parameters=[RUN_ID, NAME, VERSION],
    )
    def get(self, request: Request, run_id: str, name: str) -> HttpResponse:
        run = self.find(request, run_id)
        refuse_unknown(request.query_params, "version")
        saved = jobs.artifact(run.id, name, _version(request.query_params.get("version")))
        content = jobs.read_artifact(run.id, name, saved.version)
        response = HttpResponse(content, content_type=saved.media_type)
        # A browser that opened it here would let a script in it act as whoever is signed in.
        response["Content-Disposition"] = content_disposition_header(True, saved.name) or "attachment"
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "private, no-store"
        return response

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Whatever the caller accepts: the file has the media type that it was saved with."""
        return super().perform_content_negotiation(request, force=True)


def _version(text: str | None) -> int | None:
    """Raises InvalidRequest for what is no number from 1."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= 1):
        raise InvalidRequest.of("version", "must be a number from 1")
    return int(text)
