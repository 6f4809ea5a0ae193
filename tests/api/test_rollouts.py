"""`/api/jobs/{name}/rollout/`: for staff with the permission of the method."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from perdure.accounts.tokens import create_token
from runs.jobs import StepContext, job
from runs.models import Audit, Rollout
from runs.testing import temporary_jobs
from tests.api.client import ApiClient, error_of
from tests.api.conftest import Watch

ADDRESS = "/api/jobs/parcel/rollout/"


@pytest.fixture(autouse=True)
def _versions() -> Iterator[None]:
    with temporary_jobs():
        for version in ("1", "2"):

            @job("parcel", version=version)
            async def parcel(step: StepContext) -> None: ...

        yield


def staff(name: str, *permissions: str) -> ApiClient:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return ApiClient(create_token(user, "tests"))


@pytest.fixture
def as_operator(db: None) -> ApiClient:
    return staff("olga", "view_rollout", "change_rollout", "delete_rollout")


def put(client: ApiClient, body: Any, address: str = ADDRESS) -> Any:
    return client.put(address, body, content_type="application/json")


def test_an_operator_begins_moves_and_ends_a_rollout(as_operator: ApiClient, api: ApiClient) -> None:
    error_of(as_operator.get(ADDRESS), 404, "rollout_not_found")
    shown = put(as_operator, {"version": "2", "percent": 0}).json()
    assert {name: shown[name] for name in ("job", "version", "base", "percent")} == {
        "job": "parcel", "version": "2", "base": "1", "percent": 0,
    }  # fmt: skip
    assert shown["changed_at"].endswith("Z")
    assert api.send("/api/runs/", {"job": "parcel"}).json()["job_version"] == "1"
    assert put(as_operator, {"version": "2", "percent": 100, "base": "1"}).json()["percent"] == 100
    assert as_operator.get(ADDRESS).json()["percent"] == 100
    assert api.send("/api/runs/", {"job": "parcel"}).json()["job_version"] == "2"
    assert as_operator.delete(ADDRESS).status_code == 204
    error_of(as_operator.delete(ADDRESS), 404, "rollout_not_found")
    rows = Audit.objects.filter(action__startswith="rollout.").values_list("action", "actor_kind", "address")
    assert [row[0] for row in rows] == ["rollout.end", "rollout.set", "rollout.set"]
    assert {row[1:] for row in rows} == {("token", "127.0.0.1")}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"version": "9", "percent": 5}, 404, "job_not_found"),
        ({"version": "2", "percent": 5, "base": "2"}, 400, "invalid_option"),
        ({"version": "2", "percent": 101}, 400, "invalid_request"),
        ({"version": "2", "percent": 5.5}, 400, "invalid_request"),
        ({"version": "2", "percent": "5"}, 400, "invalid_request"),
        ({"version": "2", "percent": True}, 400, "invalid_request"),
        ({"version": "2"}, 400, "invalid_request"),
        ({"version": "2", "percent": 5, "job": "echo"}, 400, "invalid_request"),
        ([], 400, "invalid_request"),
    ],
)
def test_a_bad_request_changes_nothing(
    as_operator: ApiClient, nothing_changes: Watch, body: Any, status: int, code: str
) -> None:
    with nothing_changes():
        error_of(put(as_operator, body), status, code)


def test_a_job_that_is_not_there_has_no_rollout(as_operator: ApiClient, nothing_changes: Watch) -> None:
    with nothing_changes():
        error_of(put(as_operator, {"version": "2", "percent": 5}, "/api/jobs/none/rollout/"), 404, "job_not_found")
        for name in ("none", "%00"):
            error_of(as_operator.get(f"/api/jobs/{name}/rollout/"), 404, "rollout_not_found")
            error_of(as_operator.delete(f"/api/jobs/{name}/rollout/"), 404, "rollout_not_found")


def test_each_method_asks_for_its_own_permission(api: ApiClient, anonymous: ApiClient, as_operator: ApiClient) -> None:
    put(as_operator, {"version": "2", "percent": 5})
    viewer, clerk = staff("viewer", "view_rollout"), staff("clerk")
    assert viewer.get(ADDRESS).status_code == 200
    for client in (viewer, clerk, api):
        error_of(put(client, {"version": "2", "percent": 100}), 403, "permission_denied")
        error_of(client.delete(ADDRESS), 403, "permission_denied")
    for client in (clerk, api):
        error_of(client.get(ADDRESS), 403, "permission_denied")
    error_of(put(anonymous, {"version": "2", "percent": 100}), 401, "not_authenticated")
    assert Rollout.objects.get().percent == 5
