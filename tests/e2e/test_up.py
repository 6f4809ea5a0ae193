"""`manage.py up`: everything in one tree of processes, ready to use, and gone without a trace."""

import signal
import socket
from urllib.parse import urlsplit

import httpx

from tests.servers import processes


def named(installation, text):
    return [pid for pid in installation.pids() if text in processes.command_line(pid)]


def test_a_first_start_signs_in_by_its_link_and_shows_the_running_report(install, tmp_path):
    perdure = install(new=True, HOME=str(tmp_path)).start("--host", "127.0.0.1")
    assert f"ready: {perdure.base_url}" in perdure.lines
    assert (perdure.data_dir / "admin-password").stat().st_mode & 0o777 == 0o600
    answer = perdure.client.get(perdure.one_time_link, follow_redirects=True)
    assert answer.status_code == 200
    assert urlsplit(str(answer.url)).path.startswith("/runs/")
    assert "repository-report" in answer.text
    second = httpx.get(perdure.one_time_link, trust_env=False)
    assert second.status_code == 410
    assert "sessionid" not in second.cookies
    assert list(tmp_path.iterdir()) == [], "something was written into the home directory"


def test_the_example_is_started_once_and_not_at_the_next_start(install):
    perdure = install().start("--host", "127.0.0.1")
    perdure.kill()
    perdure.start("--host", "127.0.0.1")
    runs = perdure.request("GET", "/api/runs/").json()["results"]
    assert [run["job"] for run in runs] == ["repository-report"]


def test_what_was_running_goes_on_after_a_clean_stop_and_no_step_runs_twice(install, tmp_path):
    perdure = install().start()
    file = tmp_path / "lines"
    run_id = perdure.start_run("append-lines", {"path": str(file), "steps": 40, "pause_seconds": 0.1})
    perdure.wait_for(lambda: file.exists() and len(file.read_text().split()) >= 5, 20, "five lines")
    assert perdure.stop() == 0
    assert len(file.read_text().split()) < 40
    perdure.start()
    perdure.wait_for_status(run_id, "completed")
    assert file.read_text().split() == [f"line-{number}" for number in range(1, 41)]
    assert [event["sequence"] for event in perdure.events(run_id)] == list(
        range(1, perdure.run(run_id)["last_sequence"] + 1)
    )


def test_sigterm_stops_everything_and_the_exit_code_is_zero(perdure_server):
    assert perdure_server.stop() == 0
    assert perdure_server.lines[-1].endswith("stopped")
    assert perdure_server.pids() == []


def test_ctrl_c_stops_everything_too(perdure_server):
    perdure_server.process.send_signal(signal.SIGINT)
    assert perdure_server.process.wait(40) == 0
    assert perdure_server.pids() == []


def test_nothing_of_the_tree_outlives_a_killed_top_process(perdure_server):
    assert len(perdure_server.pids()) > 4
    perdure_server.kill()
    assert processes.wait_until_gone("PERDURE_DATA_DIR", str(perdure_server.data_dir), 5) == []


def test_a_killed_web_server_comes_back_on_the_same_port(perdure_server):
    (web,) = named(perdure_server, "daphne")
    processes.kill_all([web])
    perdure_server.wait_for_line(r"web ended unexpectedly \(killed by SIGKILL\)")
    assert perdure_server.client.get(f"{perdure_server.base_url}/livez").status_code == 200


def test_a_port_that_is_taken_is_an_error_with_its_remedy(install):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = install().manage("up", "--port", str(port), check=False)
    assert done.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "--port N" in done.stderr
