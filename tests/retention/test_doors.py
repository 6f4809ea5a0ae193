"""Clean-up by REST, page and admin: for staff that may delete runs, and only of what was shown."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from perdure.accounts.tokens import create_token
from runs import clock
from runs.models import Audit, Run
from tests.api.client import ApiClient, error_of

PAGES = ["/cleanup/", "/admin/runs/run/clean-up/"]
AddRun = Callable[..., Run]


@pytest.fixture
def add_run(db: None) -> AddRun:
    """An ended run, `days` ago."""

    def make(days: float, job: str = "old-job") -> Run:
        at = clock.now() - timedelta(days=days)
        return Run.objects.create(
            job=job, status="completed", created_at=at, run_at=at, finished_at=at, last_sequence=0
        )  # fmt: skip

    return make


@pytest.fixture
def api(cleaner: User) -> ApiClient:
    return ApiClient(create_token(cleaner, "tests"))


@pytest.fixture
def signed_in(cleaner: User) -> Client:
    client = Client()
    client.force_login(cleaner)
    return client


def others() -> list[User]:
    """People who may not: nobody of note, and staff without the permission."""
    return [User.objects.create_user("mallory"), User.objects.create_user("stan", is_staff=True)]


def test_rest_tells_what_goes_and_removes_it(add_run: AddRun, api: ApiClient, cleaner: User) -> None:
    add_run(40), add_run(2), add_run(0)
    row = {"job": "old-job", "runs": 1, "trimmed": 1, "events": 0}
    dry = api.send("/api/prune/", {"dry_run": True})
    assert dry.status_code == 200
    assert dry.json() == {"dry_run": True, "complete": True, "runs": 1, "trimmed": 1, "events": 0, "jobs": [row]}
    assert Run.objects.count() == 3
    assert api.send("/api/prune/", {}).json()["jobs"] == [row]
    assert api.send("/api/prune/", {"older_than": "1d", "job": "old-job"}).json()["runs"] == 1
    assert Run.objects.count() == 1
    last = Audit.objects.filter(action="runs.prune").first()
    assert last is not None
    assert (last.actor_kind, last.address, last.data["older_than_seconds"]) == ("token", "127.0.0.1", 86400)
    assert cleaner.username in last.actor_name


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"older_than": "soon"}, 400, "invalid_option"),
        ({"older_than": 7}, 400, "invalid_request"),
        ({"older_than": ""}, 400, "invalid_option"),
        ({"dry_run": "yes"}, 400, "invalid_request"),
        ({"days": 7}, 400, "invalid_request"),
        ([], 400, "invalid_request"),
        ({"job": "missing"}, 404, "job_not_found"),
    ],
)
def test_a_bad_request_removes_nothing(add_run: AddRun, api: ApiClient, body: object, status: int, code: str) -> None:
    add_run(40)
    error_of(api.send("/api/prune/", body), status, code)
    assert Run.objects.count() == 1


def test_rest_is_closed_to_others(add_run: AddRun) -> None:
    add_run(40)
    error_of(ApiClient(None).send("/api/prune/", {}), 401, "not_authenticated")
    for user in others():
        error_of(ApiClient(create_token(user, "tests")).send("/api/prune/", {}), 403, "permission_denied")
    assert Run.objects.count() == 1


@pytest.mark.parametrize("path", PAGES)
def test_a_page_shows_what_goes_before_it_goes(path: str, add_run: AddRun, signed_in: Client) -> None:
    add_run(40), add_run(10), add_run(0)
    page = signed_in.get(path)
    assert page.status_code == 200
    assert "This deletes 1 run, removes the history of 1 more" in page.content.decode()
    question = {"older_than": "7d", "job": "old-job"}
    shown = signed_in.post(path, question | {"do": "show"})
    assert "This deletes 2 runs, removes the history of 0 more" in shown.content.decode()
    assert 'name="seen" value="7d old-job"' in shown.content.decode()
    unseen = signed_in.post(path, {"older_than": "0s", "job": "old-job", "seen": "7d old-job", "do": "prune"})
    assert "This deletes 3 runs" in unseen.content.decode()
    assert Run.objects.count() == 3, "the page had not shown that"
    done = signed_in.post(path, question | {"seen": "7d old-job", "do": "prune"}, follow=True)
    assert "2 runs deleted" in done.content.decode()
    assert Run.objects.count() == 1
    assert Audit.objects.filter(action="runs.prune", actor_name="clara").count() == 1


@pytest.mark.parametrize("path", PAGES)
def test_a_page_refuses_what_makes_no_sense(path: str, add_run: AddRun, signed_in: Client) -> None:
    add_run(40)
    for wrong in ({"older_than": "soon"}, {"job": "missing"}):
        page = signed_in.post(path, wrong | {"do": "prune", "seen": ""})
        assert page.status_code == 200
        assert 'id="what-goes"' not in page.content.decode()
    assert Run.objects.count() == 1


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_closed_to_others(path: str, add_run: AddRun) -> None:
    add_run(40)
    assert Client().post(path, {"do": "prune", "seen": " "}).status_code == 302
    for user in others():
        client = Client()
        client.force_login(user)
        assert client.get(path).status_code in (302, 403)
        assert client.post(path, {"do": "prune", "seen": " "}).status_code in (302, 403)
    assert Run.objects.count() == 1
    assert Client(enforce_csrf_checks=True).post(path, {"do": "prune"}).status_code in (302, 403)


def test_only_those_who_may_see_the_link(signed_in: Client) -> None:
    assert 'href="/cleanup/"' in signed_in.get("/").content.decode()
    assert 'href="/admin/runs/run/clean-up/"' in signed_in.get("/admin/runs/run/").content.decode()
    client = Client()
    client.force_login(others()[1])
    assert 'href="/cleanup/"' not in client.get("/").content.decode()
