"""What a row of crashes at any moment, and a restart in good order, leave of a run."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.e2e import survival
from tests.e2e.sse import SseFollower
from tests.servers.installation import Installation

KILLS = 5


def test_five_kills_at_any_moment_repeat_at_most_the_step_that_each_one_hit(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    server = install(PERDURE_APPS=survival.APP).start()
    file = tmp_path / "calls"
    run_id = server.start_run("append-steps", {"file": str(file), "steps": 120, "pause_seconds": 0.02})
    follower = SseFollower(server.base_url, run_id, server.token)
    follower.start()

    for number in range(1, KILLS + 1):
        survival.wait_for_calls(file, f"step-{number * 18 + random.randint(0, 9)}")
        survival.kill(survival.read_calls(file)[-1].pid)

    run = server.wait_for_status(run_id, "completed", "failed", "paused", within=120)
    assert run["status"] == "completed", run
    counts = Counter(call.step for call in survival.read_calls(file))
    assert set(counts) == {f"step-{n}" for n in range(1, 121)}
    assert max(counts.values()) <= 2
    assert sum(counts.values()) <= 120 + KILLS
    events = server.events(run_id)
    survival.assert_numbered_without_gaps(events, run["last_sequence"])
    types = Counter(event["type"] for event in events)
    assert types["step:complete"] == 120
    assert types["run:recover"] <= KILLS
    follower.wait_for_end(60)
    assert follower.events == events


def test_a_job_of_plain_functions_goes_on_after_its_workers_death(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    server = install(PERDURE_APPS=survival.APP).start()
    file = tmp_path / "calls"
    run_id = server.start_run("append-steps-sync", {"file": str(file), "steps": 20, "hold_at": 10})

    survival.kill(survival.wait_for_calls(file, "step-10").pid)

    run = server.wait_for_status(run_id, "completed", "failed", "paused")
    assert run["status"] == "completed", run
    survival.assert_called_once_but(file, 20, 10)
    survival.assert_numbered_without_gaps(server.events(run_id), run["last_sequence"])


def test_a_hundred_runs_go_on_after_the_death_of_the_process_that_drives_them(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    server = install(PERDURE_APPS=survival.APP, PERDURE_WORKERS="1").start()
    runs = {}
    for number in range(100):
        file = tmp_path / str(number)
        runs[server.start_run("append-steps", {"file": str(file), "steps": 10, "pause_seconds": 0.4})] = file
    driver = survival.wait_for_calls(tmp_path / "99", "step-3").pid

    survival.kill(driver)

    for run_id, file in runs.items():
        run = server.wait_for_status(run_id, "completed", "failed", "paused", within=120)
        assert run["status"] == "completed", run
        counts = Counter(call.step for call in survival.read_calls(file))
        assert set(counts) == {f"step-{n}" for n in range(1, 11)}
        assert sum(counts.values()) <= 11
        survival.assert_numbered_without_gaps(server.events(run_id), run["last_sequence"])


def test_a_stop_and_a_start_in_the_middle_of_a_run_repeat_nothing(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    server = install(PERDURE_APPS=survival.APP).start()
    file = tmp_path / "calls"
    run_id = server.start_run("append-steps", {"file": str(file), "steps": 60, "pause_seconds": 0.1})
    survival.wait_for_calls(file, "step-5")

    assert server.stop() == 0
    assert len(survival.read_calls(file)) < 60
    server.start()

    run = server.wait_for_status(run_id, "completed", "failed", "paused")
    assert run["status"] == "completed", run
    assert [call.step for call in survival.read_calls(file)] == [f"step-{n}" for n in range(1, 61)]
    events = server.events(run_id)
    survival.assert_numbered_without_gaps(events, run["last_sequence"])
    assert "run:recover" not in [event["type"] for event in events]
