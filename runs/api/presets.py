"""REST doors to presets."""

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from runs import jobs
from runs.api.documents import PAGE, operation
from runs.api.door import Door, parse_id
from runs.api.pages import page
from runs.api.requests import read_body, refuse_unknown
from runs.api.schedule_requests import ChangePreset, CreatePreset, StartPreset, given
from runs.api.schedule_shapes import PresetPage, PresetShape
from runs.api.shapes import StartedShape
from runs.errors import PresetNotFound
from runs.models import Preset

PRESET_ID = OpenApiParameter(
    "preset_id", {"type": "string", "format": "uuid"}, OpenApiParameter.PATH, description="Id of the preset."
)


class PresetDoor(Door):
    def presets(self, request: Request) -> QuerySet[Preset]:
        return jobs.visible_presets(request.user).select_related("owner", "team")

    def preset(self, request: Request, preset_id: str) -> Preset:
        """Raises PresetNotFound alike for a malformed id, a missing preset and another team's."""
        refusal = PresetNotFound(preset_id)
        found = self.presets(request).filter(pk=parse_id(preset_id, refusal)).first()
        if found is None:
            raise refusal
        return found


class PresetList(PresetDoor):
    @operation(
        "presets_list",
        "List the presets that you may see, newest first",
        {200: PresetPage},
        refusals=(400,),
        parameters=[OpenApiParameter("job", str), *PAGE],
    )
    def get(self, request: Request) -> Response:
        refuse_unknown(request.query_params, "job", "cursor", "limit")
        rows = self.presets(request)
        if (job := request.query_params.get("job")) is not None:
            rows = rows.filter(job=job)
        return Response(page(request, rows, PresetShape.of, newest_first=True))

    @operation("presets_create", "Create a preset", {201: PresetShape}, body=CreatePreset, refusals=(404, 409))
    def post(self, request: Request) -> Response:
        body = read_body(CreatePreset, self.body(request))
        made = jobs.create_preset(
            body.name, body.job, body.input, labels=body.labels, owner=request.user,
            team=self.team_of(request, body.team), actor=self.actor(request),
        )  # fmt: skip
        location = request.build_absolute_uri(f"{made.id}/")
        return Response(PresetShape.of(made), status=201, headers={"Location": location})


class PresetDetail(PresetDoor):
    @operation("presets_get", "Get a preset", {200: PresetShape}, refusals=(404,), parameters=[PRESET_ID])
    def get(self, request: Request, preset_id: str) -> Response:
        return Response(PresetShape.of(self.preset(request, preset_id)))

    @operation(
        "presets_change",
        "Change a preset",
        {200: PresetShape},
        body=ChangePreset,
        refusals=(404, 409),
        parameters=[PRESET_ID],
    )
    def patch(self, request: Request, preset_id: str) -> Response:
        preset = self.preset(request, preset_id)
        body = read_body(ChangePreset, self.body(request))
        changes = given(body)
        if "team" in body.model_fields_set:
            changes["team"] = self.team_of(request, body.team)
        return Response(PresetShape.of(jobs.change_preset(preset.id, changes, actor=self.actor(request))))

    @operation("presets_delete", "Delete a preset; its runs stay", {204: None}, refusals=(404,), parameters=[PRESET_ID])
    def delete(self, request: Request, preset_id: str) -> Response:
        jobs.delete_preset(self.preset(request, preset_id).id, actor=self.actor(request))
        return Response(status=204)


class PresetStart(PresetDoor):
    @operation(
        "presets_start",
        "Start a run of a preset",
        {201: StartedShape, 200: StartedShape},
        body=StartPreset,
        refusals=(404, 409),
        parameters=[PRESET_ID],
        description="The run is yours, and in the preset's team if you are in it. 201 and `created`; or 200 and "
        "`idempotent` with the run that the idempotency key already started.",
    )
    def post(self, request: Request, preset_id: str) -> Response:
        preset = self.preset(request, preset_id)
        body = read_body(StartPreset, self.body(request))
        started = jobs.start_preset(
            preset.id, owner=request.user, idempotency_key=body.idempotency_key, actor=self.actor(request)
        )
        return self.started(request, started)
