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


def ask(server: Installation, **options: Any) -> Frontend:
    frontend = Frontend(server.base_url, server.token, run_input("r1", "Tell", "tell-by-model"), **options)
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


def assert_it_has_all(server: Installation, frontend: Frontend) -> None:
    end = frontend.wait_for_end()
    assert end["type"] == "RUN_FINISHED"
    assert end["outcome"] == {"type": "success"}
    assert frontend.text == WHOLE
    (run,) = server.request("GET", "/api/runs/").json()["results"]
    assert (run["status"], run["output"]) == ("completed", WHOLE)
    again = server.request("GET", "/ag-ui/run", params={"threadId": "t"}).json()
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


@pytest.mark.parametrize("cut_every", [1, 3])
def test_its_text_is_the_same_however_often_its_connection_is_cut(
    server: Installation, vendor: FakeVendor, cut_every: int
) -> None:
    vendor.script([{"chunks": WORDS, "chunk_delay_seconds": 0.05}])
    frontend = ask(server, cut_every=cut_every)
    assert_it_has_all(server, frontend)
    assert frontend.connections > 5
    assert len(set(frontend.screen.ids)) == len(frontend.screen.ids)


def test_who_leaves_cancels_nothing(server: Installation, vendor: FakeVendor) -> None:
    vendor.script([{"chunks": WORDS, "gate": "left", "gate_after": 20}])
    leaving = ask(server, cut_every=5)
    leaving.wait_for_text("word")
    leaving.leave()
    vendor.open("left")
    (run,) = server.request("GET", "/api/runs/").json()["results"]
    assert server.wait_for_status(run["id"], "completed", "cancelled", "failed")["output"] == WHOLE
    assert_it_has_all(server, ask(server))
