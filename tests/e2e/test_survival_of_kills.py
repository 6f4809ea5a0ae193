"""A run of 50 steps whose process, then whose whole tree, is killed in the middle of a step."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e import survival
from tests.e2e.sse import SseFollower
from tests.servers import processes
from tests.servers.installation import Installation

STEPS = 50
KILLED_STEPS = (1, 25, 50)


@pytest.mark.parametrize("killed", KILLED_STEPS)
def test_a_run_goes_on_within_3_seconds_of_its_workers_death(
    install: Callable[..., Installation], tmp_path: Path, killed: int
) -> None:
    server = install(PERDURE_APPS=survival.APP).start()
    file = tmp_path / "calls"
    run_id = server.start_run("append-steps", {"file": str(file), "steps": STEPS, "hold_at": killed})
    follower = SseFollower(server.base_url, run_id, server.token)
    follower.start()
    driver = survival.wait_for_calls(file, f"step-{killed}").pid

    killed_at = survival.kill(driver)
    again = survival.wait_for_calls(file, f"step-{killed}", count=2)

    assert time.monotonic() - killed_at < 3
    assert again.pid != driver
    _assert_survived(server, run_id, follower, file, killed)


@pytest.mark.parametrize("killed", KILLED_STEPS)
def test_a_run_goes_on_within_5_seconds_of_the_next_start_when_everything_was_killed(
    install: Callable[..., Installation], tmp_path: Path, killed: int
) -> None:
    port = str(survival.free_port())
    server = install(PERDURE_APPS=survival.APP).start("--no-demo", "--port", port)
    file = tmp_path / "calls"
    run_id = server.start_run("append-steps", {"file": str(file), "steps": STEPS, "hold_at": killed})
    follower = SseFollower(server.base_url, run_id, server.token)
    follower.start()
    survival.wait_for_calls(file, f"step-{killed}")
    survival.wait_for(lambda: follower.events, 10, "first event at the follower")

    server.kill_tree()
    assert processes.wait_until_gone("PERDURE_DATA_DIR", str(server.data_dir), 5) == []
    server.start("--no-demo", "--port", port)
    ready_at = time.monotonic()
    survival.wait_for_calls(file, f"step-{killed}", count=2)

    assert time.monotonic() - ready_at < 5
    _assert_survived(server, run_id, follower, file, killed)
    assert follower.connections >= 2


def _assert_survived(server: Installation, run_id: str, follower: SseFollower, file: Path, killed: int) -> None:
    run = server.wait_for_status(run_id, "completed", "failed", "paused", "cancelled", within=20)
    assert run["status"] == "completed"
    assert len(run["output"]) == STEPS
    survival.assert_called_once_but(file, STEPS, killed)
    events = server.events(run_id)
    survival.assert_numbered_without_gaps(events, run["last_sequence"])
    assert [event["type"] for event in events].count("run:recover") == 1
    follower.wait_for_end(10)
    assert follower.sequences == list(range(1, run["last_sequence"] + 1))
    assert follower.events == events
