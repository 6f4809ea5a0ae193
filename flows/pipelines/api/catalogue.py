"""The native doors to pipelines: which there are, whether a document is one, and storing it."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from flows import documents
from flows.pipelines import catalogue, loader, stored
from flows.pipelines.api import errors  # noqa: F401  (its statuses belong to the table)
from flows.pipelines.api.config import MayStorePipelines, shape_of
from flows.pipelines.api.requests import PipelineDocument
from flows.pipelines.api.shapes import PipelinePage, PipelineShape, PipelineVerdict
from flows.pipelines.errors import InvalidPipeline
from flows.pipelines.spec import PipelineDef
from runs.api.documents import operation
from runs.api.door import Door
from runs.api.requests import read_body, refuse_unknown

TYPE = OpenApiParameter("type", str, OpenApiParameter.PATH, description="Type of the pipeline.")
VERSION = OpenApiParameter("version", str, description="Without it the newest.")


class PipelineCatalogue(Door):
    permission_classes = (MayStorePipelines,)

    @operation("pipelines_list", "List the pipelines that can be run", {200: PipelinePage}, refusals=(400,))
    def get(self, request: Request) -> Response:
        refuse_unknown(request.query_params)
        found = [shape_of(made) for made in catalogue.all_pipelines()]
        return Response({"results": found, "next": None, "previous": None})

    @operation(
        "pipelines_store",
        "Store a version of a pipeline; staff only",
        {201: PipelineShape},
        body=PipelineDocument,
        refusals=(409,),
        description="For staff with the permission to add definitions. A version is written once and never changed; "
        "the same document again is no error.",
    )
    def post(self, request: Request) -> Response:
        body = read_body(PipelineDocument, self.body(request))
        row = stored.store(body.document, creator=request.user, actor=self.actor(request))
        address = request.build_absolute_uri(f"{row.type}/")
        shown = shape_of(PipelineDef.model_validate(row.document))
        return Response(shown, status=201, headers={"Location": address})


class PipelineDetail(Door):
    @operation("pipelines_get", "Get a pipeline", {200: PipelineShape}, refusals=(400, 404), parameters=[TYPE, VERSION])
    def get(self, request: Request, type: str) -> Response:
        refuse_unknown(request.query_params, "version")
        return Response(shape_of(catalogue.find(type, request.query_params.get("version"))))


class PipelineValidation(Door):
    @operation(
        "pipelines_validate",
        "Say whether a document is a pipeline",
        {200: PipelineVerdict},
        body=PipelineDocument,
        description="Nothing is stored. Each problem names its line, of the document as it was sent.",
    )
    def post(self, request: Request) -> Response:
        body = read_body(PipelineDocument, self.body(request))
        text = body.document if isinstance(body.document, str) else documents.write(body.document)
        try:
            made = loader.load(text)
        except InvalidPipeline as exc:
            return Response({"valid": False, "type": None, "version": None} | exc.details)
        return Response({"valid": True, "problems": [], "type": made.type, "version": made.version})
