"""REST doors to schedules."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from runs import jobs
from runs.api.documents import PAGE, operation
from runs.api.door import Door, parse_id
from runs.api.errors import InvalidRequest
from runs.api.pages import page
from runs.api.requests import read_body, refuse_unknown
from runs.api.schedule_requests import ChangeSchedule, CreateSchedule, TriggerSchedule, given
from runs.api.schedule_shapes import SchedulePage, ScheduleShape
from runs.api.shapes import StartedShape
from runs.errors import PresetNotFound, ScheduleNotFound
from runs.models import Schedule

SCHEDULE_ID = OpenApiParameter(
    "schedule_id", {"type": "string", "format": "uuid"}, OpenApiParameter.PATH, description="Id of the schedule."
)


class ScheduleDoor(Door):
    def schedules(self, request: Request) -> QuerySet[Schedule]:
        return jobs.visible_schedules(request.user).select_related("owner", "team")

    def schedule(self, request: Request, schedule_id: str) -> Schedule:
        """Raises ScheduleNotFound alike for a malformed id, a missing schedule and another team's."""
        refusal = ScheduleNotFound(schedule_id)
        found = self.schedules(request).filter(pk=parse_id(schedule_id, refusal)).first()
        if found is None:
            raise refusal
        return found


class ScheduleList(ScheduleDoor):
    @operation(
        "schedules_list",
        "List the schedules that you may see, newest first",
        {200: SchedulePage},
        refusals=(400,),
        parameters=[OpenApiParameter("job", str), *PAGE],
    )
    def get(self, request: Request) -> Response:
        refuse_unknown(request.query_params, "job", "cursor", "limit")
        rows = self.schedules(request)
        if (job := request.query_params.get("job")) is not None:
            rows = rows.filter(job=job)
        return Response(page(request, rows, ScheduleShape.of, newest_first=True))

    @operation(
        "schedules_create",
        "Create a schedule",
        {201: ScheduleShape},
        body=CreateSchedule,
        refusals=(404, 409),
        description="Of `cron` and `at` one is given, and of `job` and `preset`.",
    )
    def post(self, request: Request) -> Response:
        body = read_body(CreateSchedule, self.body(request))
        spec = jobs.ScheduleSpec(**self._work(request, body), team=self.team_of(request, body.team))
        made = jobs.create_schedule(spec, owner=request.user, paused=body.paused, actor=self.actor(request))
        location = request.build_absolute_uri(f"{made.id}/")
        return Response(ScheduleShape.of(made), status=201, headers={"Location": location})

    def _work(self, request: Request, body: CreateSchedule) -> dict[str, Any]:
        """The fields, with job, input and labels of the preset where one is named."""
        sent = given(body)
        if (body.job is None) == (body.preset is None):
            raise InvalidRequest.of("job", "or 'preset' must be given, and not both")
        if body.preset is None:
            return sent
        if "input" in sent:
            raise InvalidRequest.of("input", "comes from the preset; leave it out")
        refusal = PresetNotFound(body.preset)
        preset = jobs.visible_presets(request.user).filter(pk=parse_id(body.preset, refusal)).first()
        if preset is None:
            raise refusal
        return {**sent, "job": preset.job, "input": preset.input, "labels": preset.labels | body.labels}


class ScheduleDetail(ScheduleDoor):
    @operation("schedules_get", "Get a schedule", {200: ScheduleShape}, refusals=(404,), parameters=[SCHEDULE_ID])
    def get(self, request: Request, schedule_id: str) -> Response:
        return Response(ScheduleShape.of(self.schedule(request, schedule_id)))

    @operation(
        "schedules_change",
        "Change a schedule",
        {200: ScheduleShape},
        body=ChangeSchedule,
        refusals=(404, 409),
        parameters=[SCHEDULE_ID],
        description="Whoever changes the job or the input of a team's schedule becomes its owner.",
    )
    def patch(self, request: Request, schedule_id: str) -> Response:
        schedule = self.schedule(request, schedule_id)
        body = read_body(ChangeSchedule, self.body(request))
        changes = given(body)
        if "team" in body.model_fields_set:
            changes["team"] = self.team_of(request, body.team)
        changed = jobs.change_schedule(schedule.id, changes, by=request.user, actor=self.actor(request))
        return Response(ScheduleShape.of(changed))

    @operation(
        "schedules_delete",
        "Delete a schedule; its runs stay",
        {204: None},
        refusals=(404,),
        parameters=[SCHEDULE_ID],
    )
    def delete(self, request: Request, schedule_id: str) -> Response:
        jobs.delete_schedule(self.schedule(request, schedule_id).id, actor=self.actor(request))
        return Response(status=204)


class SchedulePause(ScheduleDoor):
    @operation(
        "schedules_pause", "Pause a schedule", {200: ScheduleShape}, refusals=(400, 404), parameters=[SCHEDULE_ID]
    )
    def post(self, request: Request, schedule_id: str) -> Response:
        schedule = self.schedule(request, schedule_id)
        self.refuse_body(request)
        return Response(ScheduleShape.of(jobs.pause_schedule(schedule.id, actor=self.actor(request))))


class ScheduleResume(ScheduleDoor):
    @operation(
        "schedules_resume",
        "Resume a schedule",
        {200: ScheduleShape},
        refusals=(400, 404, 409),
        parameters=[SCHEDULE_ID],
        description="Its times during the pause are not made up for; a one-off whose time came is due at once.",
    )
    def post(self, request: Request, schedule_id: str) -> Response:
        schedule = self.schedule(request, schedule_id)
        self.refuse_body(request)
        return Response(ScheduleShape.of(jobs.resume_schedule(schedule.id, actor=self.actor(request))))


class ScheduleTrigger(ScheduleDoor):
    @operation(
        "schedules_trigger",
        "Start a schedule's run now",
        {201: StartedShape, 200: StartedShape},
        body=TriggerSchedule,
        refusals=(404, 409),
        parameters=[SCHEDULE_ID],
        description="Also while it is paused; its next time stays. The run of a team's schedule is yours. 409 if its "
        "runs must not overlap and one is under way. 201 and `created`; or 200 and `idempotent` with the run that the "
        "idempotency key already started.",
    )
    def post(self, request: Request, schedule_id: str) -> Response:
        schedule = self.schedule(request, schedule_id)
        body = read_body(TriggerSchedule, self.body(request))
        started = jobs.trigger_schedule(
            schedule.id, starter=request.user, idempotency_key=body.idempotency_key, actor=self.actor(request)
        )
        return self.started(request, started)
