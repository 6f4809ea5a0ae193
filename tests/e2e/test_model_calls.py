"""Model calls of a real server, to a vendor that is a process of its own."""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.sse import SseFollower
from tests.servers.installation import Installation
from tests.vendors.fixtures import vendor, vendor_process
from tests.vendors.process import FakeVendor

__all__ = ["vendor", "vendor_process"]

KEY = "sk-known-to-the-workers-alone-0815"
LIMIT = 10
RUNS = 100


@pytest.fixture
def server(install: Callable[..., Installation], vendor: FakeVendor) -> Iterator[Installation]:
    """A server with three worker processes whose default profile is the vendor."""
    made = install(PERDURE_APPS="tests.e2e.model_app", PERDURE_WORKERS="3", FAKE_API_KEY=KEY)
    made.start()
    profile = {
        "kind": "openai", "base_uri": vendor.openai_url, "default_model": "m-1", "api_key_env": "FAKE_API_KEY",
        "limits": {"concurrency": LIMIT},
    }  # fmt: skip
    answer = made.request("PUT", "/api/providers/default/", json=profile)
    assert answer.status_code == 200, answer.text
    yield made
    assert KEY not in made.log


def unfinished(server: Installation) -> list[dict[str, Any]]:
    wanted = {"job": "ask-model", "status": ["queued", "running", "waiting", "paused"], "limit": 1}
    found: list[dict[str, Any]] = server.request("GET", "/api/runs/", params=wanted).json()["results"]
    return found


@pytest.mark.timeout(300)
def test_the_calls_of_all_workers_never_pass_the_limit_also_when_one_is_killed(
    server: Installation, vendor: FakeVendor
) -> None:
    held = {"nth": list(range(1, LIMIT + 1)), "text": "held until all slots are taken", "gate": "all", "gate_after": 1}
    vendor.script([held, {"text": "an answer of some words that takes its time", "chunk_delay_seconds": 0.05}])
    bodies = [{"job": "ask-model", "input": {"questions": [f"Question {n}"]}} for n in range(RUNS)]
    started = server.request("POST", "/api/runs/start/", json={"runs": bodies})
    assert started.status_code == 200, started.text
    runs = [one["id"] for one in started.json()["runs"]]
    vendor.wait_until(lambda stats: stats["now"] == LIMIT)
    busy = [worker for worker in server.request("GET", "/api/workers/").json() if worker["driving"]]
    assert len(busy) > 1, "several processes drive runs"
    os.kill(busy[0]["pid"], signal.SIGKILL)
    vendor.open("all")

    server.wait_for(lambda: not unfinished(server), 200, "end of all runs")
    assert {server.run(run)["status"] for run in runs} == {"completed"}
    stats = vendor.stats()
    assert stats["most_at_once"] == LIMIT
    assert stats["outcomes"]["answered"] >= RUNS
    assert set(stats["outcomes"]) <= {"answered", "abandoned"}


def test_readers_of_a_cut_stream_see_a_reset_and_one_clean_text(server: Installation, vendor: FakeVendor) -> None:
    words = [f"word{number} " for number in range(40)]
    pace: dict[str, Any] = {"chunks": words, "chunk_delay_seconds": 0.05}
    vendor.script([pace | {"nth": 1, "fault": "cut", "after_chunks": 12}, pace])
    run_id = server.start_run("ask-model", {"questions": ["Tell"]})
    follower = SseFollower(server.base_url, run_id, server.token)
    follower.start()
    follower.wait_for_end(60)

    run = server.run(run_id)
    assert run["output"] == ["".join(words)]
    assert follower.text == "".join(words)
    attempts = [frame["attempt"] for frame in follower.frames]
    assert set(attempts) == {1, 2}
    assert attempts == sorted(attempts)
    assert follower.resets >= 2
    (step,) = server.request("GET", f"/api/runs/{run_id}/steps/").json()["results"]
    first, second = step["history"]
    assert (first["outcome"], first["error"]["type"]) == ("failed", "StreamCut")
    assert first["usage"]["output_tokens"] > 0
    assert second["usage"]["output_tokens"] > first["usage"]["output_tokens"]
    assert KEY not in str([run, step, server.events(run_id)])


def test_a_killed_worker_leaves_its_slots_and_the_call_is_made_by_another(
    server: Installation, vendor: FakeVendor
) -> None:
    changed = {"kind": "openai", "base_uri": vendor.openai_url, "default_model": "m-1", "limits": {"concurrency": 1}}
    assert server.request("PUT", "/api/providers/default/", json=changed).status_code == 200
    vendor.script([{"nth": 1, "text": "never to end", "gate": "closed", "gate_after": 1}, {"text": "done"}])
    run_id = server.start_run("ask-model", {"questions": ["Tell"]})
    vendor.wait_until(lambda stats: stats["now"] == 1)
    workers = server.request("GET", "/api/workers/").json()
    os.kill(next(worker["pid"] for worker in workers if worker["driving"]), signal.SIGKILL)

    run = server.wait_for_status(run_id, "completed", "failed", within=60)
    assert run["output"] == ["done"]
    (step,) = server.request("GET", f"/api/runs/{run_id}/steps/").json()["results"]
    assert [one["outcome"] for one in step["history"]] == ["lost", "completed"]


def test_a_stopped_server_hands_its_call_over_and_closes_the_connection(
    server: Installation, vendor: FakeVendor
) -> None:
    vendor.script([{"nth": 1, "text": "never to end", "gate": "closed", "gate_after": 1}, {"text": "done"}])
    run_id = server.start_run("ask-model", {"questions": ["Tell"]})
    vendor.wait_until(lambda stats: stats["now"] == 1)
    assert server.stop(within=60) == 0
    vendor.wait_until(lambda stats: stats["now"] == 0)
    server.start()
    assert server.wait_for_status(run_id, "completed", within=60)["output"] == ["done"]
