"""`code-review` on a real server waits for people: nobody drives it, restarts and days pass it by, and once it is
approved in a browser it goes on at once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.servers.installation import Installation

APPROVALS = 20
SIX_DAYS = timedelta(days=6)
DIFF = "--- a/a.py\n+++ b/a.py\n@@ -1 +1,2 @@\n+import os\n x = 1\n"


@pytest.fixture
def server(install: Callable[..., Installation], tmp_path: Path) -> Installation:
    return install(RUNS_CLOCK_FILE=str(tmp_path / "clock")).start()


def wait_for_people(server: Installation, folder: Path, count: int) -> list[str]:
    """So many runs that wait for an approval and hold no worker."""
    folder.mkdir()
    (folder / "a.py").write_text("x = 1\n")
    started = [server.start_run("code-review", {"folder": str(folder), "diff": DIFF}) for _ in range(count)]
    for run_id in started:
        server.wait_for_status(run_id, "waiting", within=60)
    return started


def expect_nobody_drives(server: Installation, runs: list[str]) -> None:
    """Workers live, and what they hold is nothing; a run whose reminder is due is held while it writes that."""

    def is_idle() -> bool:
        waits = all(server.run(run_id)["status"] == "waiting" for run_id in runs)
        workers = server.request("GET", "/api/workers/").json()
        return waits and bool(workers) and not any(worker["driving"] for worker in workers)

    server.wait_for(is_idle, 20, "moment in which nobody drives them")


def restart(server: Installation) -> None:
    """Every process is killed, and the whole is started again at the same address."""
    port = server.base_url.rsplit(":", 1)[1]
    server.kill_tree()
    server.start("--no-demo", "--port", port)


def approve(server: Installation, page: Page, run_id: str) -> float:
    """Press the button; seconds between the answer and the start of the run's next step."""
    [question] = server.request("GET", f"/api/questions/?run={run_id}").json()["results"]
    page.goto(f"{server.base_url}/questions/{question['id']}/")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Decided: approve")).to_be_visible()
    assert server.wait_for_status(run_id, "completed")["output"]["decision"] == "applied"
    events = server.events(run_id)
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    answered = next(event for event in events if event["type"] == "question:answer")
    after = events[answered["sequence"] :]
    begun = next(event for event in after if event["type"] == "step:start")
    assert any(event["step"] == "apply" for event in after)
    assert [event["type"] for event in events].count("question:answer") == 1
    assert sum(event["step"] == "read-diff" for event in events) <= 2, "no step is done again"
    return (at(begun["created_at"]) - at(answered["created_at"])).total_seconds()


def expect_it_fits(server: Installation, page: Page, run_id: str) -> None:
    """The question and the run, with their diff and tables, are no wider than a phone's window or a desk's."""
    [question] = server.request("GET", f"/api/questions/?run={run_id}").json()["results"]
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        for path in (f"/questions/{question['id']}/", f"/runs/{run_id}/"):
            page.goto(server.base_url + path)
            expect(page.get_by_label("Diff")).to_contain_text("lift-off")
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (width, path)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def expect_quick(delays: list[float]) -> None:
    """95 of 100 approvals: the 19th of 20."""
    assert len(delays) == APPROVALS
    assert sorted(delays)[18] < 1, delays


@pytest.mark.timeout(400)
def test_an_approval_in_the_browser_goes_on_within_a_second_after_a_restart_and_after_days(
    server: Installation, browser: Browser, tmp_path: Path
) -> None:
    runs = wait_for_people(server, tmp_path / "source", 2 * APPROVALS)
    sample = server.start_run("code-review", {})
    server.wait_for_status(sample, "waiting", within=60)
    expect_nobody_drives(server, runs)
    restart(server)
    expect_nobody_drives(server, runs)
    page = browser.new_page()
    page.goto(server.one_time_link)
    expect_it_fits(server, page, sample)
    expect_quick([approve(server, page, run_id) for run_id in runs[:APPROVALS]])

    (tmp_path / "clock").write_text(str(SIX_DAYS.total_seconds()))
    restart(server)
    expect_nobody_drives(server, runs[APPROVALS:])
    page.goto(server.one_time_link)
    expect_quick([approve(server, page, run_id) for run_id in runs[APPROVALS:]])
    late = server.events(runs[-1])
    assert at(late[-1]["created_at"]) - at(late[0]["created_at"]) > SIX_DAYS
    page.close()
