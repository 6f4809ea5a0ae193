"""Agent flows whose worker is killed in each of their steps, and between an agent's answer and the judge's.

Agents and judges are answered by a vendor in a process of its own, which counts what it was asked.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e import survival
from tests.servers import processes
from tests.servers.installation import Installation
from tests.vendors.process import FakeVendor

pytestmark = pytest.mark.timeout(400)  # a server is started in it, twice
ACCEPTED = '```json\n{"verdict": "accept", "reason": "good enough"}\n```'
SUPPORTED = '```json\n{"unsupported": 0, "statements": []}\n```'
CALL = re.compile(r"\d+\. [^:]+(: (label |loop )?judge)?")
"""The names of model calls: an agent's work, a judge's word."""
JUDGE = "# Judge the answer of the step "


def at(step: str, iteration: int | None = None) -> str:
    """What the instruction of a step says of it."""
    number = rf"- Step Iteration: {iteration} .*" if iteration is not None else ""
    return rf"(?s)\A## .*{number}- Step: {step}\n"


LOOP, GATHER = f"{JUDGE}“_loop_judge_review_fix”", f"(?s){JUDGE}“gather”.*"
ANSWERS: list[dict[str, Any]] = [
    {"match": LOOP, "text": "[JUDGE:2]"},
    {"match": f"{GATHER}every statement.*nothing yet", "text": "[JUDGE:0]"},
    {"match": JUDGE, "text": "[JUDGE:1]"},
    {"match": at("plan"), "text": "A plan. [PLAN:1]"},
    {"match": at("implement"), "text": "A change. [IMPLEMENT:1]"},
    {"match": at("design"), "text": "Good. [DESIGN:1]"},
    {"match": at("tests"), "text": "No test. [TESTS:2]"},
    {"match": at("fix"), "text": "Another change. [FIX:1]"},
    {"match": at("supervise"), "text": ACCEPTED},
    {"match": at("gather", 1), "text": "nothing yet"},
    {"match": at("gather"), "text": "a note with its source"},
    {"match": at("write"), "text": "an answer"},
    {"match": at("check"), "text": SUPPORTED},
]
HELD = {
    "plan": ("review-loop", at("plan")),
    "implement": ("review-loop", at("implement")),
    "one of two reviews": ("review-loop", at("tests", 1)),
    "second fix": ("review-loop", at("fix", 2)),
    "judge of the loop": ("review-loop", LOOP),
    "supervise": ("review-loop", at("supervise")),
    "second gather": ("research", at("gather", 2)),
    "judge of ai()": ("research", f"{GATHER}every statement.*nothing yet"),
    "judge of labels": ("research", f"{GATHER}more has to be"),
    "write": ("research", at("write")),
    "check": ("research", at("check")),
}
WAYS = {
    "review-loop": ["plan", "implement", "review", "fix", "review", "fix", "supervise"],
    "research": ["gather", "gather", "write", "check"],
}


@pytest.fixture(scope="module")
def started_vendor() -> Iterator[FakeVendor]:
    with FakeVendor() as running:
        yield running


@pytest.fixture(scope="module")
def server(on_postgresql: bool, started_vendor: FakeVendor) -> Iterator[Installation]:
    """With every model call at the vendor. One for all: starting takes longer than a test."""
    server = Installation(postgresql=on_postgresql).start()
    profile = {"id": "default", "kind": "openai", "base_uri": started_vendor.openai_url, "default_model": "counted"}
    answer = server.request("POST", "/v1/config/providers", json=profile)
    assert answer.status_code == 200, answer.text
    yield server
    sys.stdout.write(f"--- log of {server.base_url}\n{server.log}\n")
    assert not server.remove()


@pytest.fixture(scope="module")
def undisturbed(server: Installation, started_vendor: FakeVendor) -> dict[str, list[dict[str, Any]]]:
    """The transitions of each flow when nobody is killed."""
    found = {}
    for flow, way in WAYS.items():
        started_vendor.reset()
        started_vendor.script(ANSWERS)
        run_id = start(server, flow)
        assert wait_for_end(server, run_id)["output"]["path"] == way
        found[flow] = transitions(server, run_id)
        assert max(asked(started_vendor).values()) == 1
    return found


@pytest.fixture
def vendor(started_vendor: FakeVendor, undisturbed: object) -> FakeVendor:
    """Without calls."""
    started_vendor.reset()
    return started_vendor


def start(server: Installation, flow: str) -> str:
    return server.start_run("agent-flow", {"flow": flow, "task": "Count the books."})


def wait_for_end(server: Installation, run_id: str) -> dict[str, Any]:
    run = server.wait_for_status(run_id, "completed", "failed", "cancelled", "paused")
    assert run["status"] == "completed", run["error"]
    return run


def transitions(server: Installation, run_id: str) -> list[dict[str, Any]]:
    """In the order of their names: two sub-steps may end one before the other."""
    found = [event["data"] for event in server.events(run_id) if event["type"] == "flow:transition"]
    return sorted(found, key=lambda one: (one["iteration"], one.get("sub") or "~"))


def asked(vendor: FakeVendor) -> Counter[str]:
    """How often each text was sent to the vendor. Each instruction has its iteration in it."""
    return Counter(call["user_text"] for call in vendor.calls())


def hold(server: Installation, vendor: FakeVendor, flow: str, held: str) -> tuple[str, str]:
    """A run that stands in that call, everything else of it recorded; its id and what the call asks."""
    vendor.script([{"match": held, "times": 1, "gate": "kill"}, *ANSWERS])
    run_id = start(server, flow)
    vendor.wait_until(lambda stats: stats["now"] == 1 and is_held(vendor, held))
    server.wait_for(lambda: all_else_is_recorded(server, vendor, run_id), 60, "state in which one call is under way")
    (call,) = vendor.calls(outcome="active")
    return run_id, str(call["user_text"])


def is_held(vendor: FakeVendor, held: str) -> bool:
    return any(re.search(held, call["user_text"]) for call in vendor.calls(outcome="active"))


def all_else_is_recorded(server: Installation, vendor: FakeVendor, run_id: str) -> bool:
    answered = len(vendor.calls(outcome="answered"))
    steps = server.request("GET", f"/api/runs/{run_id}/steps/?limit=200").json()["results"]
    return answered == sum(step["status"] == "completed" and bool(CALL.fullmatch(step["name"])) for step in steps)


@pytest.mark.parametrize(("flow", "held"), HELD.values(), ids=HELD.keys())
def test_no_recorded_call_is_made_again_after_a_worker_is_killed(
    server: Installation, vendor: FakeVendor, undisturbed: dict[str, Any], flow: str, held: str
) -> None:
    run_id, text = hold(server, vendor, flow, held)
    for pid in survival.living_drivers(server):
        survival.kill(pid)
    vendor.open("kill")
    assert_goes_the_same_way(server, vendor, undisturbed[flow], run_id, text)


def test_no_recorded_call_is_made_again_after_everything_is_killed_before_the_judge_answers(
    server: Installation, vendor: FakeVendor, undisturbed: dict[str, Any]
) -> None:
    run_id, text = hold(server, vendor, "review-loop", LOOP)
    port = server.base_url.rsplit(":", 1)[1]
    server.kill_tree()
    assert processes.wait_until_gone("PERDURE_DATA_DIR", str(server.data_dir), 5) == []
    vendor.open("kill")
    server.start("--port", port)
    assert_goes_the_same_way(server, vendor, undisturbed["review-loop"], run_id, text)


def assert_goes_the_same_way(
    server: Installation, vendor: FakeVendor, expected: list[dict[str, Any]], run_id: str, text: str
) -> None:
    """Only what was under way is asked again, and each transition is as it is without the kill."""
    wait_for_end(server, run_id)
    assert transitions(server, run_id) == expected
    counts = asked(vendor)
    assert counts.pop(text) == 2
    assert set(counts.values()) == {1}
    recovered = [event["type"] for event in server.events(run_id)].count("run:recover")
    assert recovered == 1
