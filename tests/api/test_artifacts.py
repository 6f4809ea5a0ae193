"""Files that a run has saved, over REST: listed and handed out as files, never shown as pages."""

from collections.abc import Iterator
from typing import Any

import pytest

from runs import jobs
from runs.engine import files
from runs.jobs import StepContext
from runs.models import Run
from runs.testing import drain, temporary_jobs
from tests.api.client import ApiClient, error_of

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "<script>alert(document.cookie)</script>"


@pytest.fixture
def saved(alice: Any, team: Any) -> Iterator[Run]:
    with temporary_jobs():

        @jobs.job("saves")
        async def saves(step: StepContext) -> None:
            await step.save_artifact("plan.md", "# one")
            await step.save_artifact("plan.md", "# two")
            await step.save_artifact('pa"ge ü.html', PAGE)

        run = jobs.start(saves, owner=alice, team=team).run
        drain()
        yield run


def test_they_are_listed_in_the_order_of_saving_with_a_page_at_a_time(api: ApiClient, saved: Run) -> None:
    first = api.get(f"/api/runs/{saved.id}/artifacts/", {"limit": 2}).json()
    rest = api.get(first["next"]).json()
    assert [(one["name"], one["version"]) for one in first["results"] + rest["results"]] == [
        ("plan.md", 1), ("plan.md", 2), ('pa"ge ü.html', 1),
    ]  # fmt: skip
    told = first["results"][0]
    assert (told["media_type"], told["size"], told["step"]) == ("text/markdown", 5, "artifact:plan.md#1")
    assert (told["digest"], told["created_at"][-1]) == (files.digest_of(b"# one"), "Z")


@pytest.mark.parametrize(("query", "content"), [("", b"# two"), ("?version=1", b"# one"), ("?version=2", b"# two")])
def test_the_newest_or_the_one_of_a_version_is_handed_out(
    api: ApiClient, saved: Run, query: str, content: bytes
) -> None:
    answer = api.get(f"/api/runs/{saved.id}/artifacts/plan.md/{query}", headers={"Accept": "text/markdown"})
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["Content-Type"] == "text/markdown"


def test_a_page_in_a_file_is_no_page_of_ours(api: ApiClient, saved: Run) -> None:
    answer = api.get(f"/api/runs/{saved.id}/artifacts/pa%22ge%20%C3%BC.html/")
    assert answer.content.decode() == PAGE
    assert answer.headers["Content-Disposition"] == "attachment; filename*=utf-8''pa%22ge%20%C3%BC.html"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("nothing/", 404, "artifact_not_found"), ("plan.md/?version=3", 404, "artifact_not_found"),
        ("..%2f..%2fsecret-key/", 404, "not_found"), ("%00/", 404, "artifact_not_found"),
        ("plan.md/?version=0", 400, "invalid_request"), ("plan.md/?version=x", 400, "invalid_request"),
        ("plan.md/?path=/etc/passwd", 400, "invalid_request"), ("?name=x", 400, "invalid_request"),
    ],
)  # fmt: skip
def test_what_is_not_there_or_does_not_fit_is_refused(
    api: ApiClient, saved: Run, address: str, status: int, code: str
) -> None:
    error_of(api.get(f"/api/runs/{saved.id}/artifacts/{address}"), status, code)


def test_a_colleague_gets_them_and_a_stranger_learns_nothing(
    as_bob: ApiClient, as_mallory: ApiClient, anonymous: ApiClient, saved: Run
) -> None:
    for address in ("", "plan.md/", "nothing/"):
        error_of(as_mallory.get(f"/api/runs/{saved.id}/artifacts/{address}"), 404, "run_not_found")
        error_of(anonymous.get(f"/api/runs/{saved.id}/artifacts/{address}"), 401, "not_authenticated")
    assert as_bob.get(f"/api/runs/{saved.id}/artifacts/plan.md/").content == b"# two"


def test_a_file_that_the_storage_has_lost_says_so(api: ApiClient, saved: Run) -> None:
    files.storage().delete(jobs.artifact(saved.id, "plan.md").path)
    error = error_of(api.get(f"/api/runs/{saved.id}/artifacts/plan.md/"), 404, "artifact_not_found")
    assert "Restore it" in error["message"]
