"""Many runs started by one request: all of them, or none, and each for whoever asked."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from runs.models import Audit, Run
from tests.api.client import ApiClient, error_of
from tests.api.conftest import Watch

PATH = "/api/runs/start/"


def of(*runs: Any) -> dict[str, Any]:
    return {"runs": list(runs)}


def test_the_runs_are_started_in_the_order_of_the_request(api: ApiClient, alice: User) -> None:
    wanted = [{"job": "echo", "input": {"text": f"n{number}"}, "team": "night shift"} for number in range(20)]
    answer = api.send(PATH, of(*wanted))
    assert answer.status_code == 200
    shown = answer.json()["runs"]
    assert {one["disposition"] for one in shown} == {"created"}
    rows = {str(run.id): run for run in Run.objects.select_related("team")}
    assert [rows[one["id"]].input["text"] for one in shown] == [f"n{number}" for number in range(20)]
    assert {(run.owner_id, str(run.team)) for run in rows.values()} == {(alice.pk, "night shift")}
    assert Audit.objects.filter(action="run.start", address="127.0.0.1").count() == 20


def test_a_second_request_with_the_same_keys_starts_nothing(api: ApiClient, nothing_changes: Watch) -> None:
    body = of({"job": "echo", "idempotency_key": "a"}, {"job": "echo", "idempotency_key": "b"})
    first = api.send(PATH, body).json()["runs"]
    with nothing_changes():
        again = api.send(PATH, body).json()["runs"]
    assert [one["id"] for one in again] == [one["id"] for one in first]
    assert {one["disposition"] for one in again} == {"idempotent"}


@pytest.mark.parametrize(
    ("bad", "status", "code"),
    [
        ({"job": "nowhere"}, 404, "job_not_found"),
        ({"job": "echo", "input": {"text": 1}}, 400, "invalid_input"),
        ({"job": "echo", "team": "others"}, 400, "invalid_request"),
        ({"job": "echo", "owner": "bob"}, 400, "invalid_request"),
        ({"job": "echo", "idempotency_key": "k", "input": {"text": "other"}}, 409, "idempotency_conflict"),
        ({"job": "echo", "coalesce": "skip"}, 400, "invalid_option"),
        ("echo", 400, "invalid_request"),
    ],
)
def test_one_that_is_refused_keeps_all_from_being_started(
    api: ApiClient, mallory: User, nothing_changes: Watch, bad: Any, status: int, code: str
) -> None:
    api.send("/api/runs/", {"job": "echo", "idempotency_key": "k"})
    with nothing_changes():
        error_of(api.send(PATH, of({"job": "echo"}, bad, {"job": "echo"})), status, code)


@pytest.mark.parametrize("body", [of(), {}, {"runs": {"job": "echo"}}, [], of(*[{"job": "echo"}] * 1001)])
def test_nothing_too_much_and_what_is_no_list_is_refused(api: ApiClient, nothing_changes: Watch, body: Any) -> None:
    with nothing_changes():
        error_of(api.send(PATH, body), 400, "invalid_request")


def test_a_stranger_gets_no_run_of_another_by_its_key(api: ApiClient, as_mallory: ApiClient, as_bob: ApiClient) -> None:
    """Without a team a key is its owner's; of a team, the team's."""
    own, shared = (
        {"job": "echo", "idempotency_key": "k"},
        {"job": "echo", "idempotency_key": "k", "team": "night shift"},
    )
    [mine, ours] = api.send(PATH, of(own, shared)).json()["runs"]
    [theirs] = as_mallory.send(PATH, of(own)).json()["runs"]
    assert theirs["disposition"] == "created"
    assert theirs["id"] != mine["id"]
    [of_bob] = as_bob.send(PATH, of(shared)).json()["runs"]
    assert of_bob == {"id": ours["id"], "disposition": "idempotent"}
