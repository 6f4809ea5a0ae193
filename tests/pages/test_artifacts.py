"""What a run has saved: a card on its page, and a page that shows a text without running what is in it."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from runs import jobs
from runs.jobs import StepContext, job
from runs.models import Run
from runs.testing import drain, temporary_jobs

pytestmark = pytest.mark.django_db(transaction=True)
HOSTILE = "<img src=x onerror=alert(1)><script>alert(1)</script>"


@pytest.fixture
def run(client: Client) -> Iterator[Run]:
    alice = User.objects.create_user("alice")
    alice.groups.add(team := Group.objects.create(name="night shift"))
    client.force_login(alice)
    with temporary_jobs():

        @job("saves")
        async def saves(step: StepContext) -> None:
            await step.save_artifact("plan.md", f"# First\n\n{HOSTILE}")
            await step.save_artifact("plan.md", f"# Second\n\n{HOSTILE}")
            await step.save_artifact("a&b.html", HOSTILE)
            await step.save_artifact("picture.bin", b"\x00\x01")

        made = jobs.start(saves, owner=alice, team=team).run
        drain()
        yield made


def test_the_page_of_a_run_lists_each_name_with_its_newest_version(client: Client, run: Run) -> None:
    page = client.get(f"/runs/{run.id}/files/").content.decode()
    assert page.count('aria-label="Download ') == 3
    assert "version 2, " in page
    assert f'href="/api/runs/{run.id}/artifacts/a&amp;b.html/?version=1"' in page
    assert f'href="/runs/{run.id}/artifact/?name=a%26b.html"' in page
    assert "name=picture.bin" not in page
    download = client.get(f"/api/runs/{run.id}/artifacts/picture.bin/?version=1")
    assert (download.content, download.headers["Content-Disposition"]) == (
        b"\x00\x01", 'attachment; filename="picture.bin"',
    )  # fmt: skip


def test_a_text_is_shown_in_each_version_and_nothing_in_it_runs(client: Client, run: Run) -> None:
    newest = client.get(f"/runs/{run.id}/artifact/", {"name": "plan.md"}).content.decode()
    first = client.get(f"/runs/{run.id}/artifact/", {"name": "plan.md", "version": "1"}).content.decode()
    page = client.get(f"/runs/{run.id}/artifact/", {"name": "a&b.html"}).content.decode()
    assert "<h1>Second</h1>" in newest
    assert "<h1>First</h1>" in first
    for shown in (newest, first, page):
        assert "<img" not in shown.partition("<main")[2]
        assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize(
    ("query", "status"),
    [({"name": "none"}, 404), ({}, 404), ({"name": "plan.md", "version": "9"}, 404),
     ({"name": "plan.md", "version": "x"}, 400), ({"name": "\0"}, 400), ({"name": "../../secret-key"}, 404)],
)  # fmt: skip
def test_what_is_not_there_says_so(client: Client, run: Run, query: dict[str, str], status: int) -> None:
    assert client.get(f"/runs/{run.id}/artifact/", query).status_code == status


def test_strangers_and_the_anonymous_see_nothing_of_it(client: Client, run: Run) -> None:
    address = f"/runs/{run.id}/artifact/?name=plan.md"
    client.force_login(User.objects.create_user("mallory"))
    assert client.get(address).status_code == 404
    client.logout()
    assert client.get(address).headers["Location"].startswith("/sign-in/")


def test_what_is_no_text_is_not_shown_but_offered(client: Client, run: Run) -> None:
    page = client.get(f"/runs/{run.id}/artifact/", {"name": "picture.bin"}).content.decode()
    assert "This is no text that fits a page." in page
