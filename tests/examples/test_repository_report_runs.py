"""`repository-report` and `countdown` on a real server, by way of the command line."""

import re
import subprocess
from pathlib import Path

from examples.repository_report.folder import own_source
from runs.management.following import BAD_INPUT
from tests.e2e import survival
from tests.e2e.sse import SseFollower, said
from tests.servers.installation import Installation


def _start(server: Installation, *arguments: str, exits: int) -> tuple[str, str]:
    """`start_run` with these arguments: the run's id and everything that it printed."""
    done = server.manage("start_run", *arguments, "--user", "admin", "--follow", check=False, timeout=90)
    assert done.returncode == exits, done.stdout + done.stderr
    return done.stdout.split()[0], done.stdout + done.stderr


def test_the_report_on_perdures_own_source_names_its_files_with_the_lines_that_wc_counts(example_server):
    run_id, printed = _start(example_server, "repository-report", exits=0)
    run = example_server.run(run_id)
    named = re.findall(r"^\| `([^`]+\.py)` \| (\d+) \|", run["output"]["report"], re.MULTILINE)
    assert len({path for path, _ in named}) == run["output"]["files"] >= 20
    for path, lines in named:
        counted = subprocess.run(["wc", "-l", own_source() / path], capture_output=True, check=True).stdout.split()[0]
        assert int(lines) == int(counted), path
    assert run["progress"]["current"] == run["progress"]["total"] == run["output"]["files"]
    numbers = [int(line.split()[0]) for line in printed.splitlines()[1:]]
    assert numbers == list(range(1, run["last_sequence"] + 1))
    assert re.search(r"step:complete analyse runs/jobs\.py", printed)


def test_every_file_is_a_step_of_its_own(example_server, tmp_path: Path):
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("x = 1\n")
    run_id, _ = _start(example_server, "repository-report", "--input", f'{{"folder": "{tmp_path}"}}', exits=0)
    steps = example_server.request("GET", f"/api/runs/{run_id}/steps/").json()["results"]
    assert [step["name"] for step in steps] == ["list-files", "analyse a.py", "analyse b.py", "report"]
    assert steps[1]["output"]["lines"] == 1


def test_a_folder_that_does_not_exist_fails_the_run_and_says_what_to_give(example_server, tmp_path: Path):
    run_id, printed = _start(
        example_server, "repository-report", "--input", f'{{"folder": "{tmp_path}/missing"}}', exits=1
    )
    expected = f"Folder '{tmp_path}/missing' does not exist. Give a folder with Python source on the worker's machine."
    assert expected in example_server.run(run_id)["error"]["message"]
    assert "run:fail" in printed


def test_a_relative_folder_is_refused_before_a_run_exists(example_server):
    before = _runs(example_server)
    done = example_server.manage(
        "start_run", "repository-report", "--input", '{"folder": "here"}', "--user", "admin", check=False
    )
    assert (done.returncode, done.stdout) == (BAD_INPUT, "")
    assert (
        "folder: Value error, the path is relative, and the worker runs elsewhere; give an absolute path" in done.stderr
    )
    assert _runs(example_server) == before


def test_a_countdown_is_read_live_as_its_result_says(example_server):
    run_id = example_server.start_run("countdown", {"start": 5, "pause_seconds": 0.2})
    follower = SseFollower(example_server.base_url, run_id, example_server.token)
    follower.start()
    follower.wait_for_end(20)
    output = example_server.run(run_id)["output"]
    assert output == {"text": "5 4 3 2 1 done\n", "numbers": 5}
    assert follower.text == output["text"]
    assert follower.types.count("checkpoint:save") == 5


def test_a_report_whose_worker_is_killed_goes_on_from_its_checkpoint(example_server):
    run_id = example_server.start_run("repository-report", {"maximum_files": 150})
    follower = SseFollower(example_server.base_url, run_id, example_server.token)
    follower.start()
    survival.wait_for(lambda: follower.types.count("checkpoint:save") >= 3, 60, "third checkpoint")
    for pid in survival.living_drivers(example_server):
        survival.kill(pid)
    follower.wait_for_end(60)
    run = example_server.run(run_id)
    assert run["status"] == "completed"
    assert follower.text == run["output"]["report"]
    # The listing, each file once, and the report: nothing was analysed again.
    assert follower.types.count("step:complete") == run["output"]["files"] + 2
    first_of_second = next(frame for frame in follower.frames if frame["attempt"] == 2)
    assert first_of_second["offset"] == 0
    assert len(said(first_of_second)) > 24
    assert run["output"]["report"].startswith(said(first_of_second))


def _runs(server: Installation) -> list[str]:
    return [run["id"] for run in server.request("GET", "/api/runs/").json()["results"]]
