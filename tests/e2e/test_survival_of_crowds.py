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
    cluster = survival.find_cluster(server)
    run_ids = [server.start_run("hold-until-open", {"file": str(file), "gate": str(gate)}) for _ in range(RUNS)]

    held = survival.wait_for_calls(file, "held", count=RUNS, within=30)
    pids = {call.pid for call in survival.read_calls(file)}
    assert held.pid in pids
    assert sorted(pids) == cluster.drivers
    assert {processes.parent_of(pid) for pid in pids} == {cluster.sentinel}
    assert all("manage.py" in processes.command_line(pid) for pid in pids)
    assert [server.run(run_id)["status"] for run_id in run_ids] == ["running"] * RUNS

    gate.touch()
    for run_id in run_ids:
        assert server.wait_for_status(run_id, "completed", "failed", within=30)["output"] in pids
