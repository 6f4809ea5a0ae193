"""REST doors to flows: which there are, whether a document is one, storing it, starting it."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from flows import documents
from flows.agents import catalogue, starting, stored
from flows.agents.api import errors  # noqa: F401  (its statuses belong to the table)
from flows.agents.api.catalogue_shapes import FlowDocument, FlowPage, FlowShape, FlowSummary, FlowVerdict, StartFlow
from flows.agents.errors import InvalidFlow
from flows.agents.spec import Flow
from runs.api.documents import operation
from runs.api.door import Door
from runs.api.requests import read_body, refuse_unknown
from runs.api.shapes import StartedShape

NAME = OpenApiParameter("name", str, OpenApiParameter.PATH, description="Name of the flow.")
VERSION = OpenApiParameter("version", str, description="Without it the newest.")


class MayStoreFlows(IsAuthenticated):
    """Everybody reads; staff with the permission to add definitions store them."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        if request.method != "POST":
            return True
        return bool(request.user.is_staff and request.user.has_perm("agents.add_flowdefinition"))


class FlowCatalogue(Door):
    permission_classes = (MayStoreFlows,)

    @operation("flows_list", "List the agent flows that can be started", {200: FlowPage}, refusals=(400,))
    def get(self, request: Request) -> Response:
        refuse_unknown(request.query_params)
        found = [FlowSummary.of(made, catalogue.versions(made.name)).as_json() for made in catalogue.all_flows()]
        return Response({"results": found, "next": None, "previous": None})

    @operation(
        "flows_store",
        "Store a version of an agent flow; staff only",
        {201: FlowShape},
        body=FlowDocument,
        refusals=(409,),
        description="For staff with the permission to add definitions. A version is written once and never changed; "
        "the same document again is no error.",
    )
    def post(self, request: Request) -> Response:
        body = read_body(FlowDocument, self.body(request))
        row = stored.store(body.document, creator=request.user, actor=self.actor(request))
        address = request.build_absolute_uri(f"{row.name}/")
        return Response(shape_of(Flow.model_validate(row.document)), status=201, headers={"Location": address})


class FlowDetail(Door):
    @operation("flows_get", "Get an agent flow", {200: FlowShape}, refusals=(400, 404), parameters=[NAME, VERSION])
    def get(self, request: Request, name: str) -> Response:
        refuse_unknown(request.query_params, "version")
        return Response(shape_of(catalogue.find(name, request.query_params.get("version"))))


class FlowCheck(Door):
    @operation(
        "flows_check",
        "Say whether a document is an agent flow",
        {200: FlowVerdict},
        body=FlowDocument,
        description="Nothing is stored. Each problem names its line, of the document as it was sent, its step and "
        "the remedy.",
    )
    def post(self, request: Request) -> Response:
        body = read_body(FlowDocument, self.body(request))
        text = body.document if isinstance(body.document, str) else documents.write(body.document)
        try:
            made = stored.read(text)
        except InvalidFlow as exc:
            return Response(FlowVerdict.refused(exc).as_json())
        return Response(FlowVerdict(valid=True, problems=[], name=made.name, version=made.version).as_json())


class FlowStart(Door):
    @operation(
        "flows_start",
        "Start a run of an agent flow",
        {201: StartedShape, 200: StartedShape},
        body=StartFlow,
        refusals=(404, 409),
        parameters=[NAME],
        description="The run is pinned to the definition as it is now, and to those of the flows that it calls. 201 "
        "and `created`; or 200 and `idempotent` with the run that the idempotency key already started.",
    )
    def post(self, request: Request, name: str) -> Response:
        body = read_body(StartFlow, self.body(request))
        started = starting.start(
            name,
            body.task,
            version=body.version,
            folder=body.folder,
            variables=body.vars,
            sessions=body.sessions,
            max_steps=body.max_steps,
            single_step=body.single_step,
            language=body.language,
            owner=request.user,
            team=self.team_of(request, body.team),
            labels=body.labels,
            idempotency_key=body.idempotency_key,
            budget=body.budget.given() if body.budget else None,
            actor=self.actor(request),
        )
        return self.started(request, started)


def shape_of(made: Flow) -> dict[str, Any]:
    return FlowShape.of(made, catalogue.versions(made.name)).as_json()
