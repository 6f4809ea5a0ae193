"""Queries over REST: arguments as text or as JSON, for those who may see the run."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from pydantic import BaseModel

from runs import jobs
from runs.jobs import RunView, StepContext
from runs.models import Run
from runs.testing import temporary_jobs
from tests.api.client import ApiClient, error_of
from tests.api.conftest import Watch

pytestmark = pytest.mark.django_db(transaction=True)


class Wanted(BaseModel):
    word: str = "?"
    times: int = 1
    loud: bool = False


@pytest.fixture
def talking(alice: User, team: Group) -> Iterator[Run]:
    with temporary_jobs():

        @jobs.job("talks")
        async def talks(step: StepContext) -> None:
            return None

        @talks.query
        def say(view: RunView, wanted: Wanted) -> str:
            """Say a word."""
            said = " ".join([wanted.word] * wanted.times)
            return said.upper() if wanted.loud else said

        @talks.query
        def fail(view: RunView) -> None:
            raise ValueError("not today")

        yield jobs.start(talks, owner=alice, team=team).run


def test_arguments_are_text_in_the_address_or_json_in_the_body(api: ApiClient, as_bob: ApiClient, talking: Run) -> None:
    address = f"/api/runs/{talking.id}/queries/say/"
    assert api.get(address).json() == {"query": "say", "result": "?"}
    assert as_bob.get(address, {"word": "hm", "times": "2", "loud": "true"}).json()["result"] == "HM HM"
    assert api.send(address, {"arguments": {"word": "ho", "times": 3}}).json()["result"] == "ho ho ho"
    assert api.send(address, {}).json()["result"] == "?"


def test_what_does_not_fit_is_refused(api: ApiClient, talking: Run, nothing_changes: Watch) -> None:
    address = f"/api/runs/{talking.id}/queries/"
    with nothing_changes():
        error = error_of(api.get(f"{address}say/?times=many"), 400, "invalid_arguments")
        assert error["details"]["fields"][0]["field"] == "times"
        error_of(api.get(f"{address}say/?word=a&word=b"), 400, "invalid_request")
        error_of(api.get(f"{address}say/?word=%00"), 400, "invalid_request")
        error_of(api.send(f"{address}say/", {"word": "a"}), 400, "invalid_request")
        error_of(api.send(f"{address}say/", {"arguments": [1]}), 400, "invalid_arguments")
        error_of(api.get(f"{address}fail/?x=1"), 400, "invalid_arguments")
        error_of(api.get(f"{address}nothing/"), 404, "handler_not_found")


def test_a_handler_that_fails_is_not_the_servers_failure(api: ApiClient, talking: Run) -> None:
    error = error_of(api.get(f"/api/runs/{talking.id}/queries/fail/"), 422, "query_failed")
    assert "ValueError: not today" in error["message"]


def test_the_job_lists_its_handlers(api: ApiClient, talking: Run) -> None:
    shown = api.get("/api/jobs/talks/").json()
    say, fail = shown["queries"]
    assert (say["name"], say["description"], fail["name"]) == ("say", "Say a word.", "fail")
    assert say["argument_schema"]["properties"].keys() == {"word", "times", "loud"}
    assert (say["result_schema"], fail["argument_schema"]["additionalProperties"]) == ({"type": "string"}, False)
    assert shown["updates"] == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_anonymous_and_strangers_are_not_answered(
    anonymous: ApiClient, as_mallory: ApiClient, talking: Run, nothing_changes: Watch, method: str
) -> None:
    address = f"/api/runs/{talking.id}/queries/say/"
    with nothing_changes():
        error_of(anonymous.generic(method, address), 401, "not_authenticated")
        error_of(as_mallory.generic(method, address), 404, "run_not_found")


def test_a_session_needs_its_csrf_token_for_a_body_only(alice: User, talking: Run) -> None:
    browser: Any = ApiClient(None)
    browser.force_login(alice)
    address = f"/api/runs/{talking.id}/queries/say/"
    assert browser.get(address).status_code == 200
    error_of(browser.send(address, {}), 403, "csrf_failed")
