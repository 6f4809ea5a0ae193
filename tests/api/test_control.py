"""Pause, retry, retrigger and fork by REST."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from runs import clock, jobs
from runs.models import Event, Run, RunStatus, Step
from tests.api.client import ApiClient, error_of
from tests.api.conftest import Watch

Fail = Callable[..., Run]


@pytest.fixture
def fail() -> Fail:
    """Gives a run the rows of one that failed at its second step; the doors only read them."""

    def write(run: Run, **fields: Any) -> Run:
        now = clock.now()
        common = {"run": run, "kind": "run", "attempts": 1, "started_at": now, "finished_at": now}
        Step.objects.create(name="one", status="completed", output=1, position=0, **common)
        Step.objects.create(name="two", status="failed", error={"type": "ValueError"}, position=1, **common)
        error = {"type": "StepFailed", "message": "no", "steps": ["two"]}
        values = {"status": RunStatus.FAILED, "error": error, "finished_at": now, "started_at": now, "due_at": None}
        Run.objects.filter(id=run.id).update(**(values | fields))
        return jobs.get(run.id)

    return write


def test_a_run_is_paused_with_a_reason_and_resumed(api: ApiClient, as_bob: ApiClient, run: Run) -> None:
    paused = api.send(f"/api/runs/{run.id}/pause/", {"reason": "disk full"}).json()
    assert (paused["status"], paused["reason"]) == ("paused", "disk full")
    event = Event.objects.filter(run=run).latest("sequence")
    assert (event.type, event.data["reason"], event.data["actor"]["kind"]) == ("run:pause", "disk full", "token")
    assert as_bob.send(f"/api/runs/{run.id}/pause/").json()["status"] == "paused"
    assert as_bob.send(f"/api/runs/{run.id}/resume/").json()["status"] == "queued"


@pytest.mark.parametrize("body", [{"reason": 5}, {"reason": "x" * 501}, {"why": "x"}, []])
def test_a_bad_reason_pauses_nothing(api: ApiClient, run: Run, nothing_changes: Watch, body: Any) -> None:
    with nothing_changes():
        error_of(api.send(f"/api/runs/{run.id}/pause/", body), 400, "invalid_request")


def test_an_ended_run_is_not_paused(api: ApiClient, run: Run, nothing_changes: Watch) -> None:
    jobs.cancel(run.id)
    with nothing_changes():
        error_of(api.send(f"/api/runs/{run.id}/pause/"), 409, "run_already_ended")


def test_a_failed_run_is_retried_from_its_failed_step(as_bob: ApiClient, run: Run, fail: Fail) -> None:
    fail(run)
    retried = as_bob.send(f"/api/runs/{run.id}/retry/").json()
    assert (retried["status"], retried["attempt"], retried["error"]) == ("queued", 2, None)
    steps = as_bob.get(f"/api/runs/{run.id}/steps/").json()["results"]
    assert [(step["name"], step["status"]) for step in steps] == [("one", "completed"), ("two", "retrying")]


def test_what_has_not_failed_or_is_pruned_is_not_retried(
    api: ApiClient, run: Run, fail: Fail, nothing_changes: Watch
) -> None:
    with nothing_changes():
        error_of(api.send(f"/api/runs/{run.id}/retry/"), 409, "run_not_failed")
    fail(run, first_sequence=2)
    with nothing_changes():
        error_of(api.send(f"/api/runs/{run.id}/retry/", {"x": 1}), 400, "invalid_request")
        refused = error_of(api.send(f"/api/runs/{run.id}/retry/"), 409, "history_pruned")
        error_of(api.send(f"/api/runs/{run.id}/fork/", {"step": "two"}), 409, "history_pruned")
    assert "start it again" in refused["message"]


def test_a_run_is_started_again_as_a_new_one(as_bob: ApiClient, run: Run, nothing_changes: Watch) -> None:
    with nothing_changes():
        error_of(as_bob.send(f"/api/runs/{run.id}/retrigger/", {"x": 1}), 400, "invalid_request")
    response = as_bob.send(f"/api/runs/{run.id}/retrigger/")
    made = response.json()
    assert (response.status_code, response.headers["Location"]) == (201, f"http://testserver/api/runs/{made['id']}/")
    assert made["id"] != str(run.id)
    wanted = {"job": "echo", "input": {"text": "hello"}, "labels": {"kind": "test"}, "owner": "bob",
              "team": "night shift", "status": "queued", "forked_from": None}  # fmt: skip
    assert {name: made[name] for name in wanted} == wanted


def test_a_fork_keeps_the_steps_before_and_names_where_it_came_from(api: ApiClient, run: Run, fail: Fail) -> None:
    fail(run)
    body = {"step": "two", "input": {"text": "other"}, "outputs": {"one": 5}}
    response = api.send(f"/api/runs/{run.id}/fork/", body)
    made = response.json()
    assert response.status_code == 201
    assert (made["forked_from"], made["input"], made["status"]) == (str(run.id), {"text": "other"}, "queued")
    steps = api.get(f"/api/runs/{made['id']}/steps/").json()["results"]
    assert [(step["name"], step["output"]) for step in steps] == [("one", 5)]
    kept = api.send(f"/api/runs/{run.id}/fork/", {"step": "one"}).json()
    assert kept["input"] == {"text": "hello"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_request"),
        ({"step": 1}, "invalid_request"),
        ({"step": "two", "outputs": []}, "invalid_request"),
        ({"step": "two", "colour": 1}, "invalid_request"),
        ({"step": "nine"}, "invalid_option"),
        ({"step": "two", "outputs": {"two": 1}}, "invalid_option"),
        ({"step": "two", "input": {"text": 5}}, "invalid_input"),
    ],
)
def test_a_fork_that_does_not_fit_makes_no_run(
    api: ApiClient, run: Run, fail: Fail, nothing_changes: Watch, body: Any, code: str
) -> None:
    fail(run)
    with nothing_changes():
        error_of(api.send(f"/api/runs/{run.id}/fork/", body), 400, code)


@pytest.mark.parametrize("secret", ["of the input", "of a step"])
def test_a_colleague_changes_nothing_beside_what_a_run_keeps_secret(
    api: ApiClient, as_bob: ApiClient, run: Run, fail: Fail, nothing_changes: Watch, secret: str
) -> None:
    fail(run)
    of_input = secret == "of the input"
    if of_input:
        Run.objects.filter(id=run.id).update(secrets={"input": [["text"]]})
    else:
        Step.objects.filter(run=run, name="one").update(secrets=[[]])
    change: dict[str, Any] = {"outputs": {"one": 7}} if of_input else {"input": {"text": "other"}}
    address, body = f"/api/runs/{run.id}/fork/", {"step": "two"}
    with nothing_changes():
        error_of(as_bob.send(address, body | change), 400, "invalid_option")
    given = {"input": {"text": "other"}, "outputs": {"one": 7}}
    for client, fits in ((as_bob, body), (as_bob, body | given), (api, body | change)):
        assert client.send(address, fits).status_code == 201


def test_many_runs_are_cancelled_by_filter_oldest_first(api: ApiClient, alice: User, team: Group) -> None:
    runs = [jobs.start("echo", {}, owner=alice, team=team, labels={"batch": "7"}).run for _ in range(3)]
    other = jobs.start("echo", {}, owner=alice, labels={"batch": "8"}).run
    jobs.cancel(runs[0].id)
    body = {"job": "echo", "labels": {"batch": "7"}, "status": ["queued"], "team": "night shift", "limit": 1}
    answer = api.send("/api/runs/cancel/", body | {"reason": "wrong batch"})
    assert (answer.status_code, answer.json()) == (200, {"done": 1, "refused": [], "left": 1})
    assert jobs.get(runs[1].id).reason == "wrong batch"
    assert api.send("/api/runs/cancel/", body | {"limit": 500}).json() == {"done": 1, "refused": [], "left": 0}
    assert [jobs.get(one.id).status for one in runs] == ["cancelled"] * 3
    assert jobs.get(other.id).status == "queued"


def test_many_failed_runs_are_retried_and_each_refusal_is_told(
    api: ApiClient, run: Run, alice: User, fail: Fail
) -> None:
    fail(run)
    pruned = fail(jobs.start("echo", {}, owner=alice).run, first_sequence=2)
    answer = api.send("/api/runs/retry/", {"owner": "alice", "limit": 10}).json()
    assert answer == {"done": 1, "refused": [{"id": str(pruned.id), "code": "history_pruned"}], "left": 0}
    assert jobs.get(run.id).attempt == 2


@pytest.mark.parametrize("door", ["cancel", "retry"])
def test_nobody_changes_runs_of_others_in_bulk(
    as_mallory: ApiClient, run: Run, fail: Fail, nothing_changes: Watch, door: str
) -> None:
    if door == "retry":
        fail(run)
    with nothing_changes():
        answer = as_mallory.send(f"/api/runs/{door}/", {"limit": 500}).json()
        named = as_mallory.send(f"/api/runs/{door}/", {"limit": 500, "owner": "alice", "team": "night shift"}).json()
    assert answer == named == {"done": 0, "refused": [], "left": 0}


@pytest.mark.parametrize("door", ["cancel", "retry"])
@pytest.mark.parametrize(
    "body",
    [
        None, {}, {"limit": 0}, {"limit": 501}, {"limit": "5"}, {"limit": 5, "status": "queued"},
        {"limit": 5, "status": ["gone"]}, {"limit": 5, "labels": {"a b": "c"}}, {"limit": 5, "cursor": "x"},
        {"limit": 5, "created_after": "yesterday"}, {"limit": 5, "ids": []},
    ],
)  # fmt: skip
def test_a_selection_that_does_not_fit_changes_nothing(
    api: ApiClient, run: Run, nothing_changes: Watch, door: str, body: Any
) -> None:
    with nothing_changes():
        error_of(api.send(f"/api/runs/{door}/", body), 400, "invalid_request")
