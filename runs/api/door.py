"""What every REST door does with a request: who calls, what they sent, and which runs they may see."""

from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.db.models.fields.json import KeyTransform
from django.urls import reverse
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from runs import jobs
from runs.api.errors import InvalidRequest
from runs.api.parsers import StrictJsonParser
from runs.api.requests import RunFilter, RunSelection
from runs.api.shapes import RunShape
from runs.errors import RunNotFound, RunsError
from runs.models import Run


class Door(APIView):
    """Base of the views: strict JSON, the caller as an actor, runs that the caller may see."""

    parser_classes = (StrictJsonParser,)

    def visible(self, request: Request) -> QuerySet[Run]:
        return jobs.visible_runs(request.user).select_related("owner", "team")

    def find(self, request: Request, run_id: str) -> Run:
        """The run; raises RunNotFound alike for a malformed id, a missing run and another team's run."""
        run = self.visible(request).filter(pk=parse_id(run_id, RunNotFound(run_id))).first()
        if run is None:
            raise RunNotFound(run_id)
        return run

    def actor(self, request: Request) -> jobs.Actor:
        address = request.META.get("REMOTE_ADDR", "")
        if request.auth is None:
            return jobs.Actor.of(request.user, address=address)
        name = f"{request.auth} of {request.user}"
        return jobs.Actor(kind="token", id=str(request.auth.pk), name=name, address=address)

    def body(self, request: Request) -> Any:
        """The parsed body. DRF alone would take one without Content-Length, which a client streams, for empty."""
        if "Transfer-Encoding" not in request.headers:
            return request.data
        if self.get_content_negotiator().select_parser(request, self.get_parsers()) is None:
            raise UnsupportedMediaType(request.content_type or "")
        return StrictJsonParser().parse(request)

    def refuse_body(self, request: Request) -> None:
        """Raises InvalidRequest for a body where none is taken."""
        if self.body(request):
            raise InvalidRequest.of("body", "must be empty here")

    def shown(self, request: Request, run_id: UUID) -> dict[str, Any]:
        return RunShape.of(self.find(request, str(run_id)))

    def made(self, request: Request, run: Run) -> Response:
        """201 with a new run and its address."""
        address = request.build_absolute_uri(reverse("api-run", args=[run.id]))
        return Response(self.shown(request, run.id), status=201, headers={"Location": address})

    def started(self, request: Request, started: jobs.Started) -> Response:
        """The run with its disposition: 201 when it is new, else 200."""
        made = started.disposition == "created"
        shown = RunShape.of(started.run) | {"disposition": started.disposition}
        address = request.build_absolute_uri(reverse("api-run", args=[started.run.id]))
        return Response(shown, status=201 if made else 200, headers={"Location": address})

    def team_of(self, request: Request, team: str | int | None) -> Group | None:
        """The team by name or id. A team of others and one that does not exist get the same answer."""
        if team is None:
            return None
        groups = Group.objects.all() if request.user.is_superuser else request.user.groups.all()
        found = groups.filter(pk=team) if isinstance(team, int) else groups.filter(name=team)
        try:
            return found.get()
        except (Group.DoesNotExist, OverflowError) as exc:
            raise InvalidRequest.of(
                "team", "is not a team that you are in; name one of yours, or leave it out"
            ) from exc


def parse_id(text: str, refusal: RunsError) -> UUID:
    """Raises `refusal` for what is no id."""
    try:
        found = UUID(text)
    except ValueError as exc:
        raise refusal from exc
    # One address for one thing: Python would also take braces, a prefix or no hyphens.
    if str(found) != text.lower():
        raise refusal
    return found


def filtered(rows: QuerySet[Run], wanted: RunFilter | RunSelection) -> QuerySet[Run]:
    """Those of `rows` for which every filter holds."""
    plain = {
        "job": wanted.job,
        "queue": wanted.queue,
        "status__in": wanted.status or None,
        "owner__username": wanted.owner,
        "team__name": wanted.team,
        "created_at__gt": wanted.created_after,
        "created_at__lt": wanted.created_before,
    }
    rows = rows.filter(**{name: value for name, value in plain.items() if value is not None})
    for key, value in wanted.labels.items():
        rows = rows.alias(_label=KeyTransform(key, "labels")).filter(_label=value)
    return rows
