"""Signals and state of a run by REST."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from runs import jobs
from runs.models import Event, Run, Signal, State
from runs.testing import drain, temporary_jobs
from tests.api.client import ApiClient, error_of
from tests.api.conftest import Watch


def test_a_signal_is_sent_once_for_its_key(api: ApiClient, as_bob: ApiClient, run: Run) -> None:
    body = {"name": "approve", "payload": {"by": "olga"}, "idempotency_key": "k1"}
    first = api.send(f"/api/runs/{run.id}/signals/", body)
    assert first.status_code == 201
    shown = first.json()
    assert (shown["disposition"], shown["name"], shown["payload"]) == ("created", "approve", {"by": "olga"})
    assert (shown["actor"]["kind"], shown["consumed_by"], shown["consumed_at"]) == ("token", None, None)
    assert shown["created_at"].endswith("Z")
    again = as_bob.send(f"/api/runs/{run.id}/signals/", body)
    assert (again.status_code, again.json()) == (200, shown | {"disposition": "idempotent"})
    assert Signal.objects.count() == Event.objects.filter(type="signal:receive").count() == 1
    # a client that retries must learn that its signal arrived, also when the run has ended by it
    jobs.cancel(run.id)
    assert api.send(f"/api/runs/{run.id}/signals/", body).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_waiting_run_goes_on_by_a_signal_and_names_the_step_that_took_it(
    api: ApiClient, alice: User, settings: Any
) -> None:
    settings.RUNS_UNLOAD_AFTER = 0.05

    with temporary_jobs():

        @jobs.job("asks")
        async def asks(step: jobs.StepContext) -> Any:
            step.state.set({"asked": True})
            return await step.wait_for_signal("approve", name="ok?")

        run = jobs.start(asks, owner=alice).run
        drain()
        shown = api.get(f"/api/runs/{run.id}/").json()
        assert (shown["status"], shown["reason"]) == ("waiting", "signal approve")
        assert api.get(f"/api/runs/{run.id}/state/").json()["value"] == {"asked": True}
        api.send(f"/api/runs/{run.id}/signals/", {"name": "approve", "payload": 5})
        drain()
    assert api.get(f"/api/runs/{run.id}/").json()["output"] == 5
    (signal,) = api.get(f"/api/runs/{run.id}/signals/").json()["results"]
    assert (signal["consumed_by"], signal["consumed_at"][-1]) == ("ok?", "Z")


def test_signals_are_listed_in_order_of_arrival(api: ApiClient, run: Run) -> None:
    for number in range(5):
        api.send(f"/api/runs/{run.id}/signals/", {"name": "item", "payload": number})
    first = api.get(f"/api/runs/{run.id}/signals/?limit=3").json()
    rest = api.get(first["next"]).json()
    assert [signal["payload"] for signal in first["results"] + rest["results"]] == [0, 1, 2, 3, 4]
    assert rest["next"] is None


def test_an_ended_run_takes_no_signal(api: ApiClient, run: Run, nothing_changes: Watch) -> None:
    jobs.cancel(run.id)
    with nothing_changes():
        error_of(api.send(f"/api/runs/{run.id}/signals/", {"name": "approve"}), 409, "run_already_ended")


def test_a_key_that_was_used_for_another_signal_is_a_conflict(api: ApiClient, run: Run, nothing_changes: Watch) -> None:
    api.send(f"/api/runs/{run.id}/signals/", {"name": "approve", "idempotency_key": "k1"})
    with nothing_changes():
        for other in ({"name": "refuse"}, {"name": "approve", "payload": 1}):
            answer = api.send(f"/api/runs/{run.id}/signals/", other | {"idempotency_key": "k1"})
            error_of(answer, 409, "idempotency_conflict")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "invalid_request"), ([], 400, "invalid_request"), ({"name": ""}, 400, "invalid_request"),
        ({"name": 5}, 400, "invalid_request"), ({"name": "a", "to": "x"}, 400, "invalid_request"),
        ({"name": "a", "idempotency_key": ""}, 400, "invalid_request"), ({"name": "a\n"}, 400, "invalid_option"),
        ({"name": "a", "payload": "x" * 1_100_000}, 413, "payload_too_large"),
        (b'{"name":"a","payload":NaN}', 400, "malformed_json"),
        (b'{"name":"a","payload":"\\u0000"}', 400, "malformed_json"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_a_signal_that_does_not_fit_is_not_sent(
    api: ApiClient, run: Run, nothing_changes: Watch, body: Any, status: int, code: str
) -> None:
    with nothing_changes():
        error_of(api.send(f"/api/runs/{run.id}/signals/", body), status, code)


def test_the_state_is_shown_with_the_sequence_to_follow_from(api: ApiClient, as_bob: ApiClient, run: Run) -> None:
    assert api.get(f"/api/runs/{run.id}/state/").json() == {"value": {}, "last_sequence": 1}
    State.objects.create(run=run, value={"files": ["a"]})
    assert as_bob.get(f"/api/runs/{run.id}/state/").json() == {"value": {"files": ["a"]}, "last_sequence": 1}
    error_of(api.get(f"/api/runs/{run.id}/state/?x=1"), 400, "invalid_request")
