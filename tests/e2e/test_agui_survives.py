"""A frontend is in the middle of an answer when the worker or the server is killed, or its connection is cut."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e import survival
from tests.e2e.frontend import Frontend, run_input
from tests.servers import processes
from tests.servers.installation import Installation
from tests.vendors.fixtures import vendor, vendor_process
from tests.vendors.process import FakeVendor

__all__ = ["vendor", "vendor_process"]
WORDS = [f"word{number} " for number in range(40)]
WHOLE = "".join(WORDS)


@pytest.fixture
def port() -> int:
    return survival.free_port()


@pytest.fixture
def server(install: Callable[..., Installation], vendor: FakeVendor, port: int) -> Installation:
    """On a port that it keeps, with a model that is a process of its own."""
    made = install(PERDURE_APPS="tests.e2e.frontend_app", FAKE_API_KEY="sk")
    made.start("--no-demo", "--port", str(port))
    profile = {
        "kind": "openai", "base_uri": vendor.openai_url, "default_model": "m-1", "api_key_env": "FAKE_API_KEY",
    }  # fmt: skip
    assert made.request("PUT", "/api/providers/default/", json=profile).status_code == 200
    return made


def ask(server: Installation, thread_id: str = "t", **options: Any) -> Frontend:
    body = run_input(f"run-of-{thread_id}", "Tell", "tell-by-model", thread_id)
    frontend = Frontend(server.base_url, server.token, body, **options)
    frontend.start()
    return frontend


def worker_that_drives(server: Installation) -> int:
    def look() -> int | None:
        workers = server.request("GET", "/api/workers/").json()
        return next((int(one["pid"]) for one in workers if one["driving"]), None)

    return server.wait_for(look, 60, "worker that drives the run")


def web_process(server: Installation) -> int:
    assert server.process is not None
    children = processes.children_of(server.process.pid)
    return next(pid for pid in children if "daphne" in processes.command_line(pid))


def assert_it_has_all(server: Installation, frontend: Frontend, thread_id: str = "t") -> None:
    end = frontend.wait_for_end()
    assert end["type"] == "RUN_FINISHED"
    assert end["outcome"] == {"type": "success"}
    assert frontend.text == WHOLE
    runs = server.request("GET", "/api/runs/").json()["results"]
    assert {(run["status"], run["output"]) for run in runs} == {("completed", WHOLE)}
    again = server.request("GET", "/ag-ui/run", params={"threadId": thread_id}).json()
    assert [part["content"] for part in again["messages"][-1]["parts"]] == [WHOLE]


def test_its_run_goes_on_after_the_worker_was_killed(server: Installation, vendor: FakeVendor) -> None:
    vendor.script([{"nth": 1, "chunks": WORDS, "gate": "never", "gate_after": 20}, {"chunks": WORDS}])
    frontend = ask(server)
    frontend.wait_for_text("word10 ")
    survival.kill(worker_that_drives(server))
    assert_it_has_all(server, frontend)
    assert frontend.connections == 1
    assert "MESSAGES_SNAPSHOT" in frontend.screen.types, "what the killed worker's answer had said is taken back"


def test_it_reconnects_and_loses_nothing_after_the_web_server_was_killed(
    server: Installation, vendor: FakeVendor
) -> None:
    vendor.script([{"chunks": WORDS, "gate": "killed", "gate_after": 20}])
    frontend = ask(server)
    frontend.wait_for_text("word10 ")
    survival.kill(web_process(server))
    vendor.open("killed")
    assert_it_has_all(server, frontend)
    assert frontend.connections == 2
    assert frontend.screen.types.count("RUN_STARTED") == 1


def test_it_reconnects_and_loses_nothing_after_the_whole_server_was_killed(
    server: Installation, vendor: FakeVendor, port: int
) -> None:
    vendor.script([{"nth": 1, "chunks": WORDS, "gate": "never", "gate_after": 20}, {"chunks": WORDS}])
    frontend = ask(server)
    frontend.wait_for_text("word10 ")
    server.kill_tree()
    server.start("--no-demo", "--port", str(port))
    assert_it_has_all(server, frontend)
    assert frontend.connections == 2


def test_a_server_that_is_stopped_cuts_its_streams_and_ends_none_as_if_it_were_over(
    server: Installation, vendor: FakeVendor, port: int
) -> None:
    vendor.script([{"nth": 1, "chunks": WORDS, "gate": "never", "gate_after": 20}, {"chunks": WORDS}])
    frontend = ask(server)
    frontend.wait_for_text("word10 ")
    assert server.stop(within=60) == 0
    server.start("--no-demo", "--port", str(port))
    assert_it_has_all(server, frontend)


def test_its_text_is_the_same_however_often_its_connection_is_cut_and_who_leaves_cancels_nothing(
    server: Installation, vendor: FakeVendor
) -> None:
    vendor.script([{"chunks": WORDS, "chunk_delay_seconds": 0.05}])
    for cut_every in (1, 3):
        thread_id = f"cut-every-{cut_every}"
        frontend = ask(server, thread_id, cut_every=cut_every)
        assert_it_has_all(server, frontend, thread_id)
        assert frontend.connections > 2
        assert len(set(frontend.screen.ids)) == len(frontend.screen.ids)

    leaving = ask(server, "left", cut_every=5)
    leaving.wait_for_text("word")
    leaving.leave()
    server.wait_for(lambda: _all_have_ended(server), 60, "end of the run whose client has left")
    assert_it_has_all(server, ask(server, "left"), "left")
    assert len(server.request("GET", "/api/runs/").json()["results"]) == 3, "none was begun twice"


def _all_have_ended(server: Installation) -> bool:
    runs = server.request("GET", "/api/runs/").json()["results"]
    return {run["status"] for run in runs} == {"completed"}
