"""Every address of the dashboard asks for a sign-in, and none of a thing of a team is there for strangers."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import URLPattern, reverse

from perdure.dashboard.urls import urlpatterns
from runs import jobs
from runs.models import Run

SignedIn = Callable[..., Client]
ROUTES = [route for route in urlpatterns if isinstance(route, URLPattern)]
OF_THINGS = [
    route for route in ROUTES if set(route.pattern.converters) & {"run_id", "other_id", "schedule_id", "preset_id"}
]


@pytest.fixture
def things(run: Run, owner: User, team: Group) -> dict[str, Any]:
    """Of one team, by the names that addresses have for them."""
    spec = jobs.ScheduleSpec(name="daily", job="page-nothing", cron="0 8 * * *", team=team)
    schedule = jobs.create_schedule(spec, owner=owner)
    preset = jobs.create_preset("kept", "page-nothing", {}, owner=owner, team=team)
    return {"run_id": run.pk, "other_id": run.pk, "schedule_id": schedule.pk, "preset_id": preset.pk}


def statuses(client: Client, route: URLPattern, things: dict[str, Any]) -> set[tuple[int, str]]:
    """What reading and sending answer, but that a door is not for one of the two."""
    named = {name: things.get(name, "1") for name in route.pattern.converters}
    if "question_id" in named:
        named["question_id"] = things["run_id"]
    address = reverse(f"dashboard:{route.name}", kwargs=named)
    answers = [client.get(address), client.post(address)]
    told = {(answer.status_code, answer.headers.get("Location", "").split("?")[0]) for answer in answers}
    return {one for one in told if one[0] != 405}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_address_asks_the_anonymous_to_sign_in(route: URLPattern, things: dict[str, Any]) -> None:
    assert statuses(Client(), route, things) == {(302, "/sign-in/")}


@pytest.mark.parametrize("route", OF_THINGS, ids=lambda route: route.name)
def test_a_thing_of_a_team_is_not_there_for_a_stranger(
    route: URLPattern, things: dict[str, Any], stranger: User, signed_in: SignedIn
) -> None:
    assert statuses(signed_in(stranger), route, things) == {(404, "")}
