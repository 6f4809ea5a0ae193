"""Which pipelines can be run, and the figures of the calls that their jobs made."""

from typing import Any

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from flows.pipelines import catalogue, metrics, stored
from flows.pipelines.api.door import V1Door, v1_operation
from flows.pipelines.api.shapes import (
    PipelineBody,
    PipelineList,
    PipelineMetrics,
    PipelineShape,
)
from flows.pipelines.spec import PipelineDef
from runs.api.errors import InvalidRequest
from runs.api.requests import refuse_unknown


class MayStorePipelines(IsAuthenticated):
    """Everybody reads; staff with the permission to add definitions store them."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        if request.method != "POST":
            return True
        return bool(request.user.is_staff and request.user.has_perm("pipelines.add_pipelinedefinition"))


class ConfigPipelines(V1Door):
    permission_classes = (MayStorePipelines,)

    @v1_operation("config_pipelines", "List the pipelines that can be run", {200: PipelineList}, refusals=(400,))
    def get(self, request: Request) -> Response:
        refuse_unknown(request.query_params)
        return Response({"pipelines": [shape_of(made) for made in catalogue.all_pipelines()]})

    @v1_operation(
        "config_pipeline_store",
        "Store a version of a pipeline; staff only",
        {200: PipelineBody},
        body=PipelineDef,
        refusals=(409,),
        description="For staff with the permission to add definitions. A version is written once and never changed.",
    )
    def post(self, request: Request) -> Response:
        document = self.body(request)
        if not isinstance(document, dict):
            raise InvalidRequest.of("body", "must be a JSON object")
        row = stored.store(document, creator=request.user, actor=self.actor(request))
        return Response({"pipeline": shape_of(PipelineDef.model_validate(row.document))})


def shape_of(made: PipelineDef) -> dict[str, Any]:
    return PipelineShape.of(made, catalogue.versions(made.type)).as_json()


class Metrics(V1Door):
    @v1_operation(
        "metrics",
        "Figures of the model calls of the newest jobs",
        {200: PipelineMetrics},
        refusals=(400,),
        description=f"From what the newest {metrics.JOBS} jobs that you may see have recorded, by kind of provider.",
    )
    def get(self, request: Request) -> Response:
        refuse_unknown(request.query_params)
        found = metrics.figures_of(self.visible(request))
        return Response(PipelineMetrics(
            provider_call_count=found.count, provider_call_latency=found.latency, provider_call_errors=found.errors,
            provider_chunk_count=found.chunks, jobs=found.jobs,
        ).as_json())  # fmt: skip
