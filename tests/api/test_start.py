from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, User

from runs.models import Audit, Event, Run
from tests.api.client import ApiClient, error_of
from tests.api.conftest import Watch

FULL = {
    "job": "echo",
    "version": "1",
    "input": {"text": "hello"},
    "team": "night shift",
    "labels": {"kind": "test", "a.b/c-d": ""},
    "priority": 5,
    "queue": "slow",
    "run_at": "2030-01-31T12:00:00+02:00",
    "idempotency_key": "k1",
}
SHAPE = {
    "id", "job", "job_version", "status", "reason", "input", "output", "error", "progress", "labels", "queue",
    "priority", "attempt", "last_sequence", "owner", "team", "parent", "root", "forked_from", "idempotency_key",
    "concurrency_key", "created_at", "run_at", "started_at", "finished_at", "budget",
}  # fmt: skip


def test_a_run_is_started_with_all_that_was_asked(api: ApiClient) -> None:
    response = api.send("/api/runs/", FULL)
    assert response.status_code == 201
    shown = response.json()
    assert shown.keys() == SHAPE | {"disposition"}
    wanted = {"job": "echo", "job_version": "1", "input": {"text": "hello"}, "team": "night shift", "owner": "alice",
              "labels": FULL["labels"], "priority": 5, "run_at": "2030-01-31T10:00:00Z", "status": "queued",
              "idempotency_key": "k1", "disposition": "created", "last_sequence": 1, "attempt": 1}  # fmt: skip
    assert {name: shown[name] for name in wanted} == wanted
    assert UUID(shown["id"]).version == 7
    assert shown["created_at"].endswith("Z")
    assert response.headers["Location"] == f"http://testserver/api/runs/{shown['id']}/"
    row = Run.objects.get()
    assert (row.queue, row.run_at) == ("slow", datetime(2030, 1, 31, 10, tzinfo=UTC))
    assert api.get(response.headers["Location"]).json() == {name: shown[name] for name in SHAPE}


def test_the_event_and_the_audit_name_the_token_and_its_user(api: ApiClient) -> None:
    api.send("/api/runs/", {"job": "echo"})
    actor = Event.objects.get().data["actor"]
    assert actor["kind"] == "token"
    assert actor["name"].startswith("tests (pdr_")
    assert actor["name"].endswith(" of alice")
    assert Audit.objects.filter(action="run.start").get().address == "127.0.0.1"


def test_a_run_of_the_same_key_that_has_not_begun_may_stand_for_the_new_one(api: ApiClient, as_bob: ApiClient) -> None:
    keyed = {"job": "echo", "team": "night shift", "concurrency_key": "folder-1"}
    first = api.send("/api/runs/", keyed)
    assert (first.status_code, first.json()["concurrency_key"]) == (201, "folder-1")
    again = api.send("/api/runs/", keyed | {"coalesce": "skip"})
    assert (again.status_code, again.json()["disposition"], again.json()["id"]) == (
        200,
        "coalesced",
        first.json()["id"],
    )
    # the run is the team's, so it stands for a colleague's too; nobody gets another person's run for their own
    assert as_bob.send("/api/runs/", keyed | {"coalesce": "skip"}).json()["id"] == first.json()["id"]
    alone = {"job": "echo", "concurrency_key": "folder-1", "coalesce": "skip"}
    assert as_bob.send("/api/runs/", alone).json()["disposition"] == "created"
    assert api.send("/api/runs/", keyed).json()["disposition"] == "created"


def test_coalescing_needs_a_key(api: ApiClient, nothing_changes: Watch) -> None:
    with nothing_changes():
        error_of(api.send("/api/runs/", {"job": "echo", "coalesce": "skip"}), 400, "invalid_option")


def test_a_team_may_be_given_by_its_id(api: ApiClient, team: Group) -> None:
    assert api.send("/api/runs/", {"job": "echo", "team": team.pk}).json()["team"] == "night shift"


def test_the_same_key_and_input_gives_the_first_run(api: ApiClient, as_bob: ApiClient) -> None:
    first = api.send("/api/runs/", FULL).json()
    again = api.send("/api/runs/", FULL)
    assert again.status_code == 200
    assert again.json() == first | {"disposition": "idempotent"}
    # The key belongs to the team, so a colleague's retry finds the same run.
    assert as_bob.send("/api/runs/", FULL).json()["id"] == first["id"]
    assert Run.objects.count() == 1


def test_keys_of_different_people_do_not_meet(api: ApiClient, as_mallory: ApiClient) -> None:
    body = {"job": "echo", "idempotency_key": "k1"}
    assert api.send("/api/runs/", body).json()["id"] != as_mallory.send("/api/runs/", body).json()["id"]


def test_the_same_key_with_other_input_is_a_conflict(api: ApiClient, nothing_changes: Watch) -> None:
    first = api.send("/api/runs/", FULL).json()
    with nothing_changes():
        response = api.send("/api/runs/", FULL | {"input": {"text": "other"}})
    assert error_of(response, 409, "idempotency_conflict")["details"] == {"run_id": first["id"]}


def test_secrets_are_shown_as_stars_and_kept_for_the_job(api: ApiClient) -> None:
    body = {"job": "log-in", "input": {"user": "alice", "password": "hush-hush-hush"}}
    response = api.send("/api/runs/", body)
    assert response.json()["input"] == {"user": "alice", "password": "***"}
    for path in ("", f"{response.json()['id']}/", f"{response.json()['id']}/steps/"):
        assert b"hush-hush-hush" not in api.get(f"/api/runs/{path}").content
    assert Run.objects.get().input["password"] == "hush-hush-hush"


def test_a_session_may_start_runs_with_its_csrf_token_alone(alice: User, nothing_changes: Watch) -> None:
    browser = ApiClient(None)
    browser.force_login(alice)
    with nothing_changes():
        error_of(browser.send("/api/runs/", {"job": "echo"}), 403, "csrf_failed")
    browser.cookies["csrftoken"] = "x" * 32
    response = browser.send("/api/runs/", {"job": "echo"}, HTTP_X_CSRFTOKEN="x" * 32)
    assert response.status_code == 201
    assert Event.objects.get().data["actor"] == {"kind": "user", "id": str(alice.pk), "name": "alice"}


@pytest.mark.parametrize("given", ["others", "nobody", 0, -1, 10**30, 999_999])
def test_a_strange_team_and_a_missing_one_get_the_same_answer(
    api: ApiClient, mallory: User, nothing_changes: Watch, given: str | int
) -> None:
    with nothing_changes():
        response = api.send("/api/runs/", {"job": "echo", "team": given})
    assert error_of(response, 400, "invalid_request")["details"]["fields"] == [
        {"field": "team", "message": "is not a team that you are in; name one of yours, or leave it out"}
    ]
