"""Each kind of process of a cluster is killed alone: runs go on, and nothing of the old tree stays."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e import survival
from tests.e2e.sse import SseFollower
from tests.servers import processes
from tests.servers.installation import Installation

KINDS: dict[str, Callable[[survival.Cluster], int]] = {
    "busy driver": lambda cluster: cluster.drivers[0],
    "idle process": lambda cluster: cluster.idle[0],
    "pusher": lambda cluster: cluster.pusher,
    "monitor": lambda cluster: cluster.monitor,
    "Sentinel": lambda cluster: cluster.sentinel,
    "parent of the Sentinel": lambda cluster: processes.parent_of(cluster.sentinel),
    "watchdog": lambda cluster: processes.parent_of(processes.parent_of(cluster.sentinel)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_run_completes_within_10_seconds_of_a_kill_and_no_process_is_left_over(
    install: Callable[..., Installation], tmp_path: Path, kind: str
) -> None:
    server = install(PERDURE_APPS=survival.APP, PERDURE_WORKERS="1").start()
    busy = server.start_run("append-steps", {"file": str(tmp_path / "busy"), "steps": 200, "pause_seconds": 0.05})
    survival.wait_for_calls(tmp_path / "busy", "step-3")
    cluster = survival.find_cluster(server)
    top = {server.process.pid} if server.process else set()

    survival.kill(KINDS[kind](cluster))
    new = server.start_run("append-steps", {"file": str(tmp_path / "new"), "steps": 3})

    server.wait_for_status(new, "completed", within=10)
    assert server.wait_for_status(busy, "completed", "failed", "paused")["status"] == "completed"
    survival.wait_for(lambda: _is_one_tree(server, top), 60, "whole tree below the top process")
    survival.wait_for(lambda: _is_complete(server), 60, "driver, idle process, monitor and pusher below a Sentinel")


def test_a_reader_goes_on_by_itself_after_the_web_server_was_killed_alone(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    server = install(PERDURE_APPS=survival.APP).start()
    run_id = server.start_run("append-steps", {"file": str(tmp_path / "calls"), "steps": 100, "pause_seconds": 0.05})
    follower = SseFollower(server.base_url, run_id, server.token)
    follower.start()
    survival.wait_for(lambda: len(follower.events) > 10, 60, "eleven events at the follower")
    assert server.process is not None
    web = [pid for pid in processes.children_of(server.process.pid) if "daphne" in processes.command_line(pid)]

    survival.kill(web[0])
    follower.wait_for_end(90)

    assert follower.connections >= 2
    assert follower.events == server.events(run_id)
    assert [call.step for call in survival.read_calls(tmp_path / "calls")] == [f"step-{n}" for n in range(1, 101)]


def test_nothing_of_the_tree_is_left_5_seconds_after_the_top_process_was_killed_and_a_restart_goes_on(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    server = install(PERDURE_APPS=survival.APP).start()
    run_id = server.start_run("append-steps", {"file": str(tmp_path / "calls"), "steps": 60, "pause_seconds": 0.05})
    survival.wait_for_calls(tmp_path / "calls", "step-3")

    server.kill()
    assert processes.wait_until_gone("PERDURE_DATA_DIR", str(server.data_dir), 5) == []

    server.start()
    assert server.wait_for_status(run_id, "completed", "failed", "paused")["status"] == "completed"


def _is_one_tree(server: Installation, top: set[int]) -> bool:
    """Every process descends from the top one: an orphan's parent is another."""
    pids = set(server.pids())
    return bool(pids) and all(pid in top or processes.parent_of(pid) in pids for pid in pids)


def _is_complete(server: Installation) -> bool:
    drivers = survival.living_drivers(server)
    return len(drivers) == 1 and len(processes.children_of(processes.parent_of(drivers[0]))) == 4
