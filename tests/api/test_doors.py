"""Every door for the anonymous, the stranger, the colleague and the owner."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from perdure.accounts import tokens
from perdure.accounts.models import ApiToken
from runs.models import Run
from tests.api.client import ApiClient, error_of
from tests.api.conftest import Watch

OF_A_RUN = [
    ("GET", "/api/runs/{}/"),
    ("DELETE", "/api/runs/{}/"),
    ("POST", "/api/runs/{}/cancel/"),
    ("POST", "/api/runs/{}/resume/"),
    ("POST", "/api/runs/{}/pause/"),
    ("POST", "/api/runs/{}/retry/"),
    ("POST", "/api/runs/{}/retrigger/"),
    ("POST", "/api/runs/{}/budget/"),
    ("POST", "/api/runs/{}/fork/"),
    ("POST", "/api/runs/{}/signals/"),
    ("GET", "/api/runs/{}/signals/"),
    ("GET", "/api/runs/{}/queries/any/"),
    ("POST", "/api/runs/{}/queries/any/"),
    ("POST", "/api/runs/{}/updates/"),
    ("GET", "/api/runs/{}/updates/1/"),
    ("GET", "/api/runs/{}/state/"),
    ("GET", "/api/runs/{}/steps/"),
    ("GET", "/api/runs/{}/checkpoints/"),
    ("GET", "/api/runs/{}/artifacts/"),
    ("GET", "/api/runs/{}/artifacts/report.md/"),
]
FOR_ALL = [
    ("GET", "/api/runs/"),
    ("POST", "/api/runs/"),
    ("POST", "/api/runs/start/"),
    ("POST", "/api/runs/cancel/"),
    ("POST", "/api/runs/retry/"),
    ("GET", "/api/jobs/"),
    ("GET", "/api/jobs/echo/"),
    ("GET", "/api/pipelines/"),
    ("POST", "/api/pipelines/"),
    ("GET", "/api/pipelines/summarise/"),
    ("POST", "/api/pipelines/validate/"),
]
FOR_STAFF = [
    ("GET", "/api/workers/"),
    ("POST", "/api/prune/"),
    ("POST", "/api/runs/{}/move/"),
    ("GET", "/api/jobs/echo/rollout/"),
    ("PUT", "/api/jobs/echo/rollout/"),
    ("DELETE", "/api/jobs/echo/rollout/"),
]
SCHEMA = [("GET", "/api/schema/")]


@pytest.mark.parametrize(("method", "path"), [*OF_A_RUN, *FOR_ALL, *FOR_STAFF, *SCHEMA])
def test_the_anonymous_are_asked_to_sign_in(
    anonymous: ApiClient, run: Run, nothing_changes: Watch, method: str, path: str
) -> None:
    with nothing_changes():
        response = anonymous.generic(method, path.format(run.id))
    error_of(response, 401, "not_authenticated")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="perdure"'


@pytest.mark.parametrize(("method", "path"), OF_A_RUN)
def test_a_stranger_learns_nothing(
    as_mallory: ApiClient, run: Run, nothing_changes: Watch, method: str, path: str
) -> None:
    with nothing_changes():
        response = as_mallory.generic(method, path.format(run.id))
        missing = as_mallory.generic(method, path.format(uuid4()))
    there, absent = error_of(response, 404, "run_not_found"), error_of(missing, 404, "run_not_found")
    assert there["message"].partition("'")[0] == absent["message"].partition("'")[0]


def test_a_stranger_lists_nothing(as_mallory: ApiClient, run: Run) -> None:
    assert as_mallory.get("/api/runs/").json() == {"results": [], "next": None, "previous": None}
    assert as_mallory.get("/api/runs/", {"owner": "alice"}).json()["results"] == []


def test_a_colleague_sees_and_acts(as_bob: ApiClient, run: Run) -> None:
    assert as_bob.get(f"/api/runs/{run.id}/").json()["owner"] == "alice"
    assert [shown["id"] for shown in as_bob.get("/api/runs/").json()["results"]] == [str(run.id)]
    assert as_bob.send(f"/api/runs/{run.id}/cancel/").json()["status"] == "cancelled"


def test_an_administrator_sees_all(as_admin: ApiClient, run: Run) -> None:
    assert as_admin.get(f"/api/runs/{run.id}/").status_code == 200


@pytest.mark.parametrize("run_id", ["1", "x", "%00", "..", "'", "%F0%9F%92%A9", "{}", "urn:uuid:{}", "{{{}}}"])
@pytest.mark.parametrize("door", ["", "steps/", "checkpoints/", "signals/", "state/", "artifacts/"])
def test_what_is_no_id_is_not_found(api: ApiClient, run: Run, run_id: str, door: str) -> None:
    error_of(api.get(f"/api/runs/{run_id.format(run.id.hex)}/{door}"), 404, "run_not_found")


def test_a_refused_token_says_why(alice: User, anonymous: ApiClient, run: Run) -> None:
    def refusal(plain: str, code: str) -> None:
        response = anonymous.get("/api/runs/", headers={"Authorization": f"Bearer {plain}"})
        error_of(response, 401, code)
        assert response.headers["WWW-Authenticate"].startswith("Bearer")

    refusal("pdr_00000000_wrong", "token_invalid")
    refusal("", "token_invalid")
    plain = tokens.create_token(alice, "old")
    ApiToken.objects.update(expires_at="2020-01-01T00:00:00Z")
    refusal(plain, "token_expired")
    tokens.revoke(ApiToken.objects.all())
    refusal(plain, "token_revoked")
    plain = tokens.create_token(alice, "gone")
    User.objects.update(is_active=False)
    refusal(plain, "user_inactive")


def test_a_refused_token_is_not_saved_by_a_session(alice: User) -> None:
    browser = ApiClient("pdr_00000000_wrong")
    browser.force_login(alice)
    error_of(browser.get("/api/runs/"), 401, "token_invalid")


def test_workers_are_for_staff(api: ApiClient, as_admin: ApiClient) -> None:
    error_of(api.get("/api/workers/"), 403, "permission_denied")
    assert as_admin.get("/api/workers/").json() == []


def test_an_address_without_its_slash_leads_a_get_on_and_refuses_a_post(
    api: ApiClient, run: Run, nothing_changes: Watch
) -> None:
    assert api.get("/api/runs?limit=1").headers["Location"] == "/api/runs/?limit=1"
    with nothing_changes():
        error = error_of(api.send("/api/runs", {"job": "echo"}), 404, "not_found")
        error_of(api.send(f"/api/runs/{run.id}/cancel"), 404, "not_found")
        error_of(api.delete(f"/api/runs/{run.id}"), 404, "not_found")
    assert error["message"] == "There is nothing at /api/runs. Addresses end with a slash; add it."


def test_an_address_below_a_run_that_is_nothing_is_not_found(api: ApiClient, run: Run) -> None:
    error_of(api.get(f"/api/runs/{run.id}/nothing/"), 404, "not_found")
