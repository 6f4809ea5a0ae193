"""A run is moved to another version by staff that may change runs, where its history fits."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission, User

from perdure.accounts.tokens import create_token
from runs import jobs
from runs.jobs import StepContext, job
from runs.models import Audit, Run
from runs.testing import drain, temporary_jobs
from tests.api.client import ApiClient, error_of
from tests.api.conftest import Watch


@pytest.fixture(autouse=True)
def _versions(transactional_db: None) -> Iterator[None]:
    def register(version: str, first: str) -> None:
        @job("two-roads", version=version)
        async def two_roads(step: StepContext) -> str:
            await step.run(first, str, version)
            go: str = await step.wait_for_signal("go")
            return go

    with temporary_jobs():
        register("1", "first"), register("2", "first"), register("3", "renamed")
        yield


@pytest.fixture
def moving(alice: User) -> Run:
    """A run of alice that waits, on version 1."""
    run = jobs.start("two-roads", version="1", owner=alice).run
    drain()
    return jobs.get(run.id)


@pytest.fixture
def as_operator(alice: User) -> ApiClient:
    """Alice as staff that may change runs."""
    alice.is_staff = True
    alice.save()
    alice.user_permissions.add(Permission.objects.get(codename="change_run"))
    return ApiClient(create_token(alice, "operator"))


def address(run: Run) -> str:
    return f"/api/runs/{run.id}/move/"


def test_an_operator_moves_a_run(as_operator: ApiClient, moving: Run) -> None:
    shown = as_operator.send(address(moving), {"version": "2"})
    assert (shown.status_code, shown.json()["job_version"], shown.json()["status"]) == (200, "2", "waiting")
    audit = Audit.objects.get(action="run.move")
    assert (audit.target, audit.address, audit.actor_kind) == (str(moving.id), "127.0.0.1", "token")
    jobs.signal(moving.id, "go", "gone")
    drain()
    assert jobs.get(moving.id).output == "gone"


def test_a_version_that_does_not_fit_is_a_conflict(as_operator: ApiClient, moving: Run, nothing_changes: Watch) -> None:
    with nothing_changes():
        error = error_of(as_operator.send(address(moving), {"version": "3"}), 409, "version_unfit")
    assert "'renamed'" in error["message"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"version": "9"}, 404, "job_not_found"),
        ({"version": "1"}, 400, "invalid_option"),
        ({"version": ""}, 400, "invalid_request"),
        ({"version": 2}, 400, "invalid_request"),
        ({}, 400, "invalid_request"),
        ({"version": "2", "force": True}, 400, "invalid_request"),
        ([], 400, "invalid_request"),
    ],
)
def test_a_bad_request_moves_nothing(
    as_operator: ApiClient, moving: Run, nothing_changes: Watch, body: object, status: int, code: str
) -> None:
    with nothing_changes():
        error_of(as_operator.send(address(moving), body), status, code)


def test_an_ended_run_is_a_conflict(as_operator: ApiClient, moving: Run) -> None:
    jobs.cancel(moving.id)
    error_of(as_operator.send(address(moving), {"version": "2"}), 409, "run_already_ended")


def test_the_door_is_closed_to_others(
    anonymous: ApiClient, api: ApiClient, as_mallory: ApiClient, mallory: User, moving: Run, nothing_changes: Watch
) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk_api = ApiClient(create_token(clerk, "tests"))
    with nothing_changes():
        error_of(anonymous.send(address(moving), {"version": "2"}), 401, "not_authenticated")
        for client in (api, as_mallory, clerk_api):
            error_of(client.send(address(moving), {"version": "2"}), 403, "permission_denied")
    mallory.is_staff = True
    mallory.save()
    mallory.user_permissions.add(Permission.objects.get(codename="change_run"))
    with nothing_changes():
        error_of(as_mallory.send(address(moving), {"version": "2"}), 404, "run_not_found")


def test_an_administrator_moves_any_run(as_admin: ApiClient, moving: Run) -> None:
    assert as_admin.send(address(moving), {"version": "2"}).json()["job_version"] == "2"
