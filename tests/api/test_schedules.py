"""Schedules over REST: made, changed, paused and started, by those who may see them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User

from runs import clock, jobs
from runs.models import Audit, Preset, Run, Schedule
from tests.api.client import ApiClient, error_of
from tests.api.conftest import Watch

BODY = {"name": "nightly", "job": "echo", "input": {"text": "hi"}, "cron": "0 9 * * 1-5", "timezone": "Europe/Berlin"}


@pytest.fixture
def schedule(alice: User, team: Group) -> Schedule:
    """Of alice, shared with the team."""
    spec = jobs.ScheduleSpec(name="hourly", job="echo", input={"text": "hello"}, cron="0 * * * *", team=team)
    return jobs.create_schedule(spec, owner=alice)


def change(client: ApiClient, schedule: Schedule | str, body: Any) -> Any:
    found = schedule if isinstance(schedule, str) else schedule.id
    return client.patch(f"/api/schedules/{found}/", body, content_type="application/json")


def test_a_schedule_is_made_and_shows_its_next_five_times(api: ApiClient) -> None:
    made = api.send("/api/schedules/", BODY | {"team": "night shift", "labels": {"kind": "x"}, "overlap": "queue"})
    assert made.status_code == 201, made.content
    shown = made.json()
    assert made.headers["Location"] == f"http://testserver/api/schedules/{shown['id']}/"
    assert (shown["kind"], shown["status"], shown["owner"], shown["team"]) == ("cron", "active", "alice", "night shift")
    assert (shown["catch_up"], shown["catch_up_within"], shown["version"]) == ("last", 86_400, None)
    assert len(shown["next_times"]) == 5
    assert shown["next_times"][0] == shown["next_at"]
    assert all(at.endswith(("T07:00:00Z", "T08:00:00Z")) for at in shown["next_times"])
    assert api.get(f"/api/schedules/{shown['id']}/").json() == shown
    assert [row["id"] for row in api.get("/api/schedules/?job=echo").json()["results"]] == [shown["id"]]
    assert api.get("/api/schedules/?job=other").json()["results"] == []
    assert Audit.objects.get(action="schedule.create").actor_kind == "token"


def test_a_one_off_may_be_made_paused(api: ApiClient) -> None:
    at = (clock.now() + timedelta(days=1)).replace(microsecond=0)
    body = {"name": "once", "job": "echo", "input": {}, "at": at.isoformat(), "paused": True}
    shown = api.send("/api/schedules/", body).json()
    assert (shown["kind"], shown["status"], shown["next_times"], shown["cron"]) == ("once", "paused", [], None)
    assert len(api.send(f"/api/schedules/{shown['id']}/resume/").json()["next_times"]) == 1


@pytest.mark.parametrize(
    ("wrong", "code", "named"),
    [
        ({"cron": "* * *"}, "invalid_option", "cron"),
        ({"cron": "0 0 31 2 *"}, "invalid_option", "cron"),
        ({"cron": None}, "invalid_option", "cron"),
        ({"timezone": "Moon/Base"}, "invalid_option", "timezone"),
        ({"at": "2020-01-01T00:00:00Z", "cron": None}, "invalid_option", "at"),
        ({"at": "2090-01-01T00:00:00Z"}, "invalid_option", "cron"),
        ({"at": "tomorrow"}, "invalid_request", "at"),
        ({"overlap": "sometimes"}, "invalid_request", "overlap"),
        ({"catch_up_within": 5}, "invalid_request", "catch_up_within"),
        ({"team": "others"}, "invalid_request", "team"),
        ({"labels": {"a b": "c"}}, "invalid_request", "labels"),
        ({"input": {"text": 1}}, "invalid_input", "text"),
        ({"owner": "bob"}, "invalid_request", "owner"),
        ({"job": None}, "invalid_request", "job"),
        ({"name": "a\u0007b"}, "invalid_option", "name"),
    ],
)
def test_what_does_not_fit_is_named_and_makes_nothing(
    api: ApiClient, mallory: User, nothing_changes: Watch, wrong: dict[str, Any], code: str, named: str
) -> None:
    with nothing_changes():
        error = error_of(api.send("/api/schedules/", BODY | wrong), 400, code)
    assert named in str(error["details"])


def test_an_unknown_job_and_a_name_in_use_are_refused(api: ApiClient, schedule: Schedule) -> None:
    error_of(api.send("/api/schedules/", BODY | {"job": "no-such-job"}), 404, "job_not_found")
    assert api.send("/api/schedules/", BODY).status_code == 201
    error_of(api.send("/api/schedules/", BODY), 409, "name_taken")


def test_a_schedule_is_changed_paused_resumed_and_deleted(api: ApiClient, schedule: Schedule) -> None:
    path = f"/api/schedules/{schedule.id}/"
    shown = change(api, schedule, {"cron": "30 3 * * *", "team": None, "input": {"text": "new"}}).json()
    assert (shown["cron"], shown["team"], shown["input"], shown["job"]) == ("30 3 * * *", None, {"text": "new"}, "echo")
    once = change(api, schedule, {"at": "2090-01-01T00:00:00Z"}).json()
    assert (once["kind"], once["next_times"]) == ("once", ["2090-01-01T00:00:00Z"])
    error_of(change(api, schedule, {"cron": "x"}), 400, "invalid_option")
    error_of(change(api, schedule, {"paused": True}), 400, "invalid_request")
    assert api.send(path + "pause/").json()["status"] == "paused"
    assert api.send(path + "resume/").json()["status"] == "active"
    error_of(api.send(path + "pause/", {"x": 1}), 400, "invalid_request")
    assert api.delete(path).status_code == 204
    error_of(api.get(path), 404, "schedule_not_found")


def test_a_run_is_started_now_once_for_each_key(api: ApiClient, schedule: Schedule) -> None:
    path = f"/api/schedules/{schedule.id}/trigger/"
    first = api.send(path, {"idempotency_key": "k"})
    again = api.send(path, {"idempotency_key": "k"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"] == str(Run.objects.get().id)
    assert first.json()["disposition"] == "created"
    error = error_of(api.send(path, {}), 409, "schedule_busy")
    assert error["details"] == {"run_id": first.json()["id"]}


def test_secrets_are_never_shown(api: ApiClient) -> None:
    body = BODY | {"job": "log-in", "input": {"user": "ada", "password": "hunter2"}}
    shown = api.send("/api/schedules/", body)
    assert shown.json()["input"] == {"user": "ada", "password": "***"}
    assert "hunter2" not in api.get("/api/schedules/").content.decode()
    assert "hunter2" not in change(api, shown.json()["id"], {"name": "other"}).content.decode()
    assert Schedule.objects.get().input["password"] == "hunter2"


def test_secrets_do_not_go_to_another_job_which_might_show_them(api: ApiClient, nothing_changes: Watch) -> None:
    secret = {"job": "log-in", "input": {"user": "ada", "password": "hunter2"}}
    kept = api.send("/api/schedules/", BODY | secret).json()["id"]
    preset = api.send("/api/presets/", {"name": "as ada"} | secret).json()["id"]
    with nothing_changes():
        for path in (f"/api/schedules/{kept}/", f"/api/presets/{preset}/"):
            answer = api.patch(path, {"job": "echo"}, content_type="application/json")
            assert error_of(answer, 400, "invalid_option")["details"] == {"option": "input"}
    assert change(api, kept, {"job": "echo", "input": {"text": "hi"}}).json()["input"] == {"text": "hi"}


def test_a_preset_is_taken_over_with_its_secrets(api: ApiClient, alice: User, mallory: User) -> None:
    preset = jobs.create_preset(
        "as ada", "log-in", {"user": "ada", "password": "hunter2"}, labels={"a": "1"}, owner=alice
    )
    body = {"name": "nightly", "cron": "0 3 * * *", "preset": str(preset.id), "labels": {"b": "2"}}
    shown = api.send("/api/schedules/", body).json()
    assert (shown["job"], shown["input"]["password"], shown["labels"]) == ("log-in", "***", {"a": "1", "b": "2"})
    assert Schedule.objects.get().input["password"] == "hunter2"
    error_of(api.send("/api/schedules/", body | {"input": {}}), 400, "invalid_request")
    error_of(api.send("/api/schedules/", body | {"job": "echo"}), 400, "invalid_request")
    Preset.objects.update(owner=mallory)
    error_of(api.send("/api/schedules/", body | {"name": "other"}), 404, "preset_not_found")


OF_ONE = [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "pause/"), ("POST", "resume/"), ("POST", "trigger/")]


@pytest.mark.parametrize(("method", "door"), OF_ONE)
def test_the_anonymous_and_strangers_learn_and_change_nothing(
    anonymous: ApiClient, as_mallory: ApiClient, schedule: Schedule, nothing_changes: Watch, method: str, door: str
) -> None:
    path = "/api/schedules/{}/" + door
    with nothing_changes():
        error_of(anonymous.generic(method, path.format(schedule.id)), 401, "not_authenticated")
        there = error_of(as_mallory.generic(method, path.format(schedule.id)), 404, "schedule_not_found")
        absent = error_of(as_mallory.generic(method, path.format(uuid4())), 404, "schedule_not_found")
        error_of(as_mallory.generic(method, path.format("{x}")), 404, "schedule_not_found")
    assert there["message"].partition("'")[0] == absent["message"].partition("'")[0]


def test_lists_hold_only_what_one_may_see(
    anonymous: ApiClient, as_mallory: ApiClient, as_bob: ApiClient, as_admin: ApiClient, schedule: Schedule
) -> None:
    error_of(anonymous.get("/api/schedules/"), 401, "not_authenticated")
    error_of(anonymous.send("/api/schedules/", BODY), 401, "not_authenticated")
    assert as_mallory.get("/api/schedules/").json()["results"] == []
    for client in (as_bob, as_admin):
        assert [row["name"] for row in client.get("/api/schedules/").json()["results"]] == ["hourly"]


def test_a_colleague_acts_and_may_give_it_only_to_teams_of_their_own(as_bob: ApiClient, schedule: Schedule) -> None:
    Group.objects.create(name="elsewhere")
    error_of(change(as_bob, schedule, {"team": "elsewhere"}), 400, "invalid_request")
    assert as_bob.send(f"/api/schedules/{schedule.id}/pause/").json()["paused"] is True
    run = as_bob.send(f"/api/schedules/{schedule.id}/trigger/", {}).json()
    assert (run["owner"], run["team"]) == ("bob", "night shift"), "who starts it may not approve what it asks"
    assert Audit.objects.filter(action="schedule.trigger", actor_name__contains="bob").exists()


def test_a_schedule_of_a_team_becomes_theirs_who_decide_what_it_does(as_bob: ApiClient, schedule: Schedule) -> None:
    assert change(as_bob, schedule, {"cron": "5 * * * *", "input": {"text": "hello"}}).json()["owner"] == "alice"
    assert change(as_bob, schedule, {"input": {"text": "other"}}).json()["owner"] == "bob"


def test_who_takes_a_schedule_from_its_team_starts_nothing_in_its_owners_name(
    as_bob: ApiClient, schedule: Schedule
) -> None:
    taken = change(as_bob, schedule, {"input": {"text": "other"}, "team": None}).json()
    assert (taken["owner"], taken["team"]) == ("bob", None)


def test_who_left_the_team_does_not_see_change_or_start_their_schedule_in_it(
    api: ApiClient, schedule: Schedule, alice: User, nothing_changes: Watch
) -> None:
    alice.groups.clear()
    path = f"/api/schedules/{schedule.id}/"
    with nothing_changes():
        error_of(api.get(path), 404, "schedule_not_found")
        error_of(change(api, schedule, {"input": {"text": "other"}}), 404, "schedule_not_found")
        for door in ("trigger/", "pause/", "resume/"):
            error_of(api.send(path + door, {}), 404, "schedule_not_found")
        error_of(api.delete(path), 404, "schedule_not_found")
        assert api.get("/api/schedules/").json()["results"] == []


def test_a_colleague_goes_on_with_what_an_owner_left_behind(
    as_bob: ApiClient, schedule: Schedule, alice: User, bob: User
) -> None:
    alice.groups.clear()
    assert change(as_bob, schedule, {"cron": "5 * * * *"}).json()["owner"] == "alice"
    assert as_bob.send(f"/api/schedules/{schedule.id}/trigger/", {}).json()["owner"] == "bob"
    taken = change(as_bob, schedule, {"team": None}).json()
    assert (taken["owner"], taken["team"]) == ("bob", None), "what the team set up is not given to who left it"


def test_an_administrator_acts_for_the_owner_where_there_is_no_team(as_admin: ApiClient, schedule: Schedule) -> None:
    Schedule.objects.update(team=None)
    assert change(as_admin, schedule, {"input": {"text": "other"}}).json()["owner"] == "alice"
    assert as_admin.send(f"/api/schedules/{schedule.id}/trigger/", {}).json()["owner"] == "alice"


def test_an_address_without_its_slash_refuses_a_post(api: ApiClient, schedule: Schedule) -> None:
    error_of(api.send("/api/schedules", BODY), 404, "not_found")
    error_of(api.send(f"/api/schedules/{schedule.id}/pause"), 404, "not_found")
