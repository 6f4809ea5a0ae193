"""Presets over REST."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User

from runs import jobs
from runs.models import Preset, Run
from tests.api.client import ApiClient, error_of
from tests.api.conftest import Watch

BODY = {"name": "as ada", "job": "log-in", "input": {"user": "ada", "password": "hunter2"}, "labels": {"kind": "x"}}


@pytest.fixture
def preset(alice: User, team: Group) -> Preset:
    return jobs.create_preset("hello", "echo", {"text": "hello"}, owner=alice, team=team)


def test_a_preset_is_made_changed_started_and_deleted(api: ApiClient) -> None:
    made = api.send("/api/presets/", BODY)
    shown = made.json()
    assert (made.status_code, shown["input"]) == (201, {"user": "ada", "password": "***"})
    path = f"/api/presets/{shown['id']}/"
    assert made.headers["Location"] == f"http://testserver{path}"
    changed = api.patch(path, {"name": "ada", "team": "night shift"}, content_type="application/json").json()
    assert (changed["name"], changed["team"], changed["job"]) == ("ada", "night shift", "log-in")
    assert api.get(path).json() == changed
    first = api.send(path + "start/", {"idempotency_key": "k"})
    again = api.send(path + "start/", {"idempotency_key": "k"})
    assert (first.status_code, again.status_code, first.json()["id"]) == (201, 200, again.json()["id"])
    assert first.headers["Location"].endswith(f"/api/runs/{first.json()['id']}/")
    run = Run.objects.get()
    assert (run.input["password"], run.labels, run.team.name) == ("hunter2", {"kind": "x"}, "night shift")
    assert "hunter2" not in first.content.decode() + api.get("/api/presets/?job=log-in").content.decode()
    assert api.delete(path).status_code == 204
    error_of(api.get(path), 404, "preset_not_found")


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"job": "no-such-job"}, 404, "job_not_found"),
        ({"input": {"user": "ada"}}, 400, "invalid_input"),
        ({"name": ""}, 400, "invalid_request"),
        ({"team": "others"}, 400, "invalid_request"),
        ({"owner": "bob"}, 400, "invalid_request"),
    ],
)
def test_what_does_not_fit_makes_nothing(
    api: ApiClient, mallory: User, nothing_changes: Watch, wrong: dict[str, Any], status: int, code: str
) -> None:
    with nothing_changes():
        error_of(api.send("/api/presets/", BODY | wrong), status, code)


def test_two_of_one_name_are_refused(api: ApiClient, nothing_changes: Watch) -> None:
    api.send("/api/presets/", BODY)
    with nothing_changes():
        error_of(api.send("/api/presets/", BODY), 409, "name_taken")


@pytest.mark.parametrize(("method", "door"), [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "start/")])
def test_the_anonymous_and_strangers_learn_and_change_nothing(
    anonymous: ApiClient, as_mallory: ApiClient, preset: Preset, nothing_changes: Watch, method: str, door: str
) -> None:
    path = "/api/presets/{}/" + door
    with nothing_changes():
        error_of(anonymous.generic(method, path.format(preset.id)), 401, "not_authenticated")
        for other in (preset.id, uuid4(), "x"):
            error_of(as_mallory.generic(method, path.format(other)), 404, "preset_not_found")
    assert as_mallory.get("/api/presets/").json()["results"] == []
    error_of(anonymous.get("/api/presets/"), 401, "not_authenticated")


def test_who_left_the_team_does_not_see_change_or_start_their_preset_in_it(
    api: ApiClient, preset: Preset, alice: User, nothing_changes: Watch
) -> None:
    alice.groups.clear()
    path = f"/api/presets/{preset.id}/"
    with nothing_changes():
        error_of(api.get(path), 404, "preset_not_found")
        error_of(api.patch(path, {"name": "mine"}, content_type="application/json"), 404, "preset_not_found")
        error_of(api.send(f"{path}start/", {}), 404, "preset_not_found")


def test_a_colleagues_run_of_a_preset_is_their_own(as_bob: ApiClient, preset: Preset) -> None:
    run = as_bob.send(f"/api/presets/{preset.id}/start/", {}).json()
    assert (run["owner"], run["team"]) == ("bob", "night shift")
