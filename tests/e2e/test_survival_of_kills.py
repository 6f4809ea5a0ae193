"""A run of 50 steps whose process, then whose whole tree, is killed in the middle of a step.

A page and a reader of server-sent events watch it; both reconnect by themselves.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import survival
from tests.e2e.sse import SseFollower
from tests.servers import processes
from tests.servers.installation import Installation

STEPS = 50
KILLED_STEPS = (1, 25, 50)


class Watched(NamedTuple):
    """A run that is held in the step to kill, and who watches it."""

    run_id: str
    file: Path
    driver: int
    follower: SseFollower
    page: Page


Watch = Callable[[Installation, int], Watched]


@pytest.fixture
def watch(browser: Browser, tmp_path: Path) -> Iterator[Watch]:
    """Starts a run that holds in that step, and opens its page signed in."""
    context = browser.new_context()
    followers: list[SseFollower] = []

    def start(server: Installation, step: int) -> Watched:
        page = context.new_page()
        page.goto(server.one_time_link)
        file = tmp_path / "calls"
        run_id = server.start_run("append-steps", {"file": str(file), "steps": STEPS, "hold_at": step})
        follower = SseFollower(server.base_url, run_id, server.token)
        followers.append(follower)
        follower.start()
        page.goto(f"{server.base_url}/runs/{run_id}/log/")
        driver = survival.wait_for_calls(file, f"step-{step}").pid
        expect(page.locator("main")).to_have_attribute("data-line", "open")
        survival.wait_for(lambda: follower.events, 60, "first event at the follower")
        return Watched(run_id, file, driver, follower, page)

    yield start
    context.close()
    for follower in followers:
        follower.close()


@pytest.mark.parametrize("killed", KILLED_STEPS)
def test_a_run_goes_on_within_3_seconds_of_its_workers_death(
    install: Callable[..., Installation], watch: Watch, killed: int
) -> None:
    server = install(PERDURE_APPS=survival.APP).start()
    run = watch(server, killed)

    killed_at = survival.kill(run.driver)
    again = survival.wait_for_calls(run.file, f"step-{killed}", count=2)

    assert time.monotonic() - killed_at < 3
    assert again.pid != run.driver
    _assert_survived(server, run, killed)


@pytest.mark.parametrize("killed", KILLED_STEPS)
def test_a_run_goes_on_within_5_seconds_of_the_next_start_when_everything_was_killed(
    install: Callable[..., Installation], watch: Watch, killed: int
) -> None:
    server = install(PERDURE_APPS=survival.APP).start()
    port = server.base_url.rsplit(":", 1)[1]
    run = watch(server, killed)

    server.kill_tree()
    assert processes.wait_until_gone("PERDURE_DATA_DIR", str(server.data_dir), 5) == []
    server.start("--no-demo", "--port", port)
    ready_at = time.monotonic()
    survival.wait_for_calls(run.file, f"step-{killed}", count=2)

    assert time.monotonic() - ready_at < 5
    _assert_survived(server, run, killed)
    assert run.follower.connections >= 2


def _assert_survived(server: Installation, watched: Watched, killed: int) -> None:
    run = server.wait_for_status(watched.run_id, "completed", "failed", "paused", "cancelled")
    assert run["status"] == "completed"
    assert len(run["output"]) == STEPS
    survival.assert_called_once_but(watched.file, STEPS, killed)
    events = server.events(watched.run_id)
    survival.assert_numbered_without_gaps(events, run["last_sequence"])
    assert [event["type"] for event in events].count("run:recover") == 1
    watched.follower.wait_for_end(60)
    assert watched.follower.events == events
    expect(watched.page.locator("main")).to_have_attribute("data-run-status", "completed")
    assert _sequences(watched.page) == list(range(1, run["last_sequence"] + 1))


def _sequences(page: Page) -> list[int]:
    found: list[int] = page.locator('[data-at="events"] [data-sequence]').evaluate_all(
        "rows => rows.map(row => Number(row.dataset.sequence))"
    )
    return found
