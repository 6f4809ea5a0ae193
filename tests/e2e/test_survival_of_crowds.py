"""Runs are driven inside django-q2's own worker processes, many in each."""

from collections.abc import Callable
from pathlib import Path

from tests.e2e import survival
from tests.servers import processes
from tests.servers.installation import Installation

RUNS = 100


def test_100_async_runs_proceed_at_once_in_two_worker_processes_of_the_cluster(
    install: Callable[..., Installation], tmp_path: Path
) -> None:
    server = install(PERDURE_APPS=survival.APP, PERDURE_WORKERS="2", RUNS_CONCURRENCY="50").start()
    file, gate = tmp_path / "calls", tmp_path / "gate"
    drivers = survival.wait_for(lambda: _both_drivers(server), 60, "second driver")
    run_ids = [server.start_run("hold-until-open", {"file": str(file), "gate": str(gate)}) for _ in range(RUNS)]

    held = survival.wait_for_calls(file, "held", count=RUNS)
    pids = {call.pid for call in survival.read_calls(file)}
    assert held.pid in pids
    assert sorted(pids) == drivers
    assert len({processes.parent_of(pid) for pid in pids}) == 1
    # Two drivers, one process for ordinary tasks, the monitor and the pusher have one Sentinel.
    siblings = processes.children_of(processes.parent_of(drivers[0]))
    assert len(siblings) == 5
    assert all("manage.py worker" in processes.command_line(pid) for pid in siblings)
    assert [server.run(run_id)["status"] for run_id in run_ids] == ["running"] * RUNS

    gate.touch()
    for run_id in run_ids:
        assert server.wait_for_status(run_id, "completed", "failed")["output"] in pids


def _both_drivers(server: Installation) -> list[int] | None:
    found = survival.living_drivers(server)
    return found if len(found) == 2 else None
