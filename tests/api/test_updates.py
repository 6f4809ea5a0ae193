"""Updates over REST: the result, or where to ask for it, for those who may see the run."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connections
from pydantic import BaseModel, Field

from runs import jobs
from runs.jobs import RunView, StepContext
from runs.models import Run, Signal
from runs.testing import drain, temporary_jobs
from tests.api.client import ApiClient, error_of
from tests.api.conftest import Watch
from tests.engine.driver import until

pytestmark = pytest.mark.django_db(transaction=True)


class Limit(BaseModel):
    most: int = Field(ge=1)


@pytest.fixture
def limited(alice: User, team: Group, settings: Any) -> Iterator[Run]:
    settings.RUNS_UNLOAD_AFTER = 0.05
    with temporary_jobs():

        @jobs.job("limited")
        async def limited(step: StepContext) -> Any:
            await step.wait_for_signal("go")
            return step.state.value

        @limited.update
        async def raise_limit(step: StepContext, limit: Limit) -> Limit:
            """Allow more."""
            step.state.update(most=limit.most)
            return limit

        @raise_limit.validator
        def only_up(view: RunView, limit: Limit) -> None:
            if limit.most < view.state.get("most", 0):
                raise ValueError("it only goes up")

        @limited.update
        async def fail(step: StepContext) -> None:
            raise ValueError("not today")

        yield jobs.start(limited, owner=alice, team=team).run


def test_without_a_result_yet_the_answer_says_where_to_ask(
    api: ApiClient, as_bob: ApiClient, as_mallory: ApiClient, limited: Run
) -> None:
    sent = api.send(f"/api/runs/{limited.id}/updates/?wait=0", {"name": "raise_limit", "payload": {"most": 3}})
    body = sent.json()
    assert (sent.status_code, body["status"], body["result"], body["run_id"]) == (
        202,
        "accepted",
        None,
        str(limited.id),
    )
    address = sent.headers["Location"].removeprefix("http://testserver")
    assert address == f"/api/runs/{limited.id}/updates/{body['id']}/"
    drain()
    done = as_bob.get(address).json()
    assert (done["status"], done["result"], done["error"]) == ("completed", {"most": 3}, None)
    assert done["finished_at"].endswith("Z")
    assert Signal.objects.get().actor["kind"] == "token"
    error_of(as_mallory.get(address), 404, "run_not_found")


def test_the_result_comes_with_the_answer_when_it_is_there_in_time(api: ApiClient, limited: Run) -> None:
    found: list[Any] = []

    def send() -> None:
        body = {"name": "raise_limit", "payload": {"most": 3}}
        found.append(api.send(f"/api/runs/{limited.id}/updates/?wait=20", body))
        connections.close_all()

    asking = threading.Thread(target=send)
    asking.start()
    until(lambda: Signal.objects.exists())
    drain()
    asking.join(60)
    assert [(one.status_code, one.json()["result"]) for one in found] == [(200, {"most": 3})]


def test_a_failed_update_is_told_as_such(api: ApiClient, limited: Run) -> None:
    sent = api.send(f"/api/runs/{limited.id}/updates/?wait=0", {"name": "fail", "idempotency_key": "k"}).json()
    drain()
    again = api.send(f"/api/runs/{limited.id}/updates/?wait=0", {"name": "fail", "idempotency_key": "k"})
    assert (again.status_code, again.json()["id"], again.json()["status"]) == (200, sent["id"], "failed")
    assert again.json()["error"]["message"] == "not today"


@pytest.mark.parametrize(
    ("query", "body", "status", "code"),
    [
        ("", {}, 400, "invalid_request"), ("", {"name": "fail", "x": 1}, 400, "invalid_request"),
        ("?wait=-1", {"name": "fail"}, 400, "invalid_request"), ("?wait=31", {"name": "fail"}, 400, "invalid_request"),
        ("?wait=nan", {"name": "fail"}, 400, "invalid_request"), ("?wait=1&wait=1", {"name": "fail"}, 400,
        "invalid_request"), ("?soon=1", {"name": "fail"}, 400, "invalid_request"),
        ("", {"name": "fail", "payload": 1}, 400, "invalid_arguments"),
        ("", {"name": "raise_limit", "payload": {"most": 0}}, 400, "invalid_arguments"),
        ("", {"name": "nothing"}, 404, "handler_not_found"),
        ("", {"name": "raise_limit", "payload": {"most": 1}}, 409, "update_refused"),
        ("", {"name": "fail", "payload": "x" * 1_100_000}, 400, "invalid_arguments"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_what_does_not_fit_is_refused_and_changes_nothing(
    api: ApiClient, limited: Run, nothing_changes: Watch, query: str, body: Any, status: int, code: str
) -> None:
    api.send(f"/api/runs/{limited.id}/updates/?wait=0", {"name": "raise_limit", "payload": {"most": 3}})
    drain()
    with nothing_changes():
        error_of(api.send(f"/api/runs/{limited.id}/updates/{query}", body), status, code)


def test_an_ended_run_takes_no_update_and_one_left_behind_has_failed(
    api: ApiClient, limited: Run, nothing_changes: Watch
) -> None:
    sent = api.send(f"/api/runs/{limited.id}/updates/?wait=0", {"name": "fail"}).json()
    jobs.cancel(limited.id)
    with nothing_changes():
        error_of(api.send(f"/api/runs/{limited.id}/updates/", {"name": "fail"}), 409, "run_already_ended")
        left = api.get(f"/api/runs/{limited.id}/updates/{sent['id']}/").json()
    assert (left["status"], left["error"]["type"]) == ("failed", "RunAlreadyEnded")


@pytest.mark.parametrize("update_id", ["0", "x", "-1", "9" * 30, "%00", "²"])
def test_what_is_no_update_of_the_run_is_not_found(api: ApiClient, limited: Run, update_id: str) -> None:
    error_of(api.get(f"/api/runs/{limited.id}/updates/{update_id}/"), 404, "update_not_found")


def test_the_job_lists_its_updates(api: ApiClient, limited: Run) -> None:
    raise_limit, fail = api.get("/api/jobs/limited/").json()["updates"]
    assert (raise_limit["name"], raise_limit["description"], fail["name"]) == ("raise_limit", "Allow more.", "fail")
    assert raise_limit["argument_schema"]["properties"]["most"]["minimum"] == 1
