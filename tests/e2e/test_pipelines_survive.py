"""A pipeline of six steps over twenty sources, whose workers are killed in the middle of its model calls.

The models are answered by a vendor in a process of its own, which counts what it was asked.
"""

import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.e2e import survival
from tests.servers import processes
from tests.servers.installation import Installation
from tests.vendors.process import FakeVendor

pytestmark = pytest.mark.timeout(400)  # a server is started in it, twice
SOURCES = [{"kind": "note", "label": f"note {number}", "content": f"<{number}>"} for number in range(20)]
SIX_STEPS = {
    "type": "six-steps", "version": "1", "parallel": 4,
    "steps": [
        {"id": "read", "mode": "fanout", "prompt": {"user": "read {{ source.content }}"}},
        {"id": "check", "mode": "per_item", "depends_on": ["read"], "prompt": {"user": "check {{ item.label }}"}},
        {"id": "join", "depends_on": ["check"], "prompt": {"user": "join"}},
        {"id": "plan", "depends_on": ["join"], "prompt": {"user": "plan"}},
        {"id": "write", "depends_on": ["plan"], "prompt": {"user": "write"}},
        {"id": "polish", "depends_on": ["write"], "prompt": {"user": "polish"}},
    ],
}  # fmt: skip
HELD = "check.*#11$"
"""The call in the middle of the second fan-out that is not answered before the workers are killed."""
ENDED_STEPS = ("completed", "skipped")


class LineReader(threading.Thread):
    """Reads a job's stream to its last line, and comes back after each cut with the number that it holds."""

    def __init__(self, server: Installation, job_id: str) -> None:
        super().__init__(daemon=True)
        self._server, self._path = server, f"/v1/jobs/{job_id}/stream"
        self._headers = {"Authorization": f"Bearer {server.token}"}
        self._closed = threading.Event()
        self.lines: list[dict[str, Any]] = []
        self.text: dict[tuple[str, str | None], str] = {}
        self.held = 0
        self.connections = 0
        self.is_finished = threading.Event()

    def close(self) -> None:
        self._closed.set()
        self.join(20)

    def run(self) -> None:
        while not self.is_finished.is_set() and not self._closed.is_set():
            with suppress(httpx.HTTPError):
                self._read()
            self._closed.wait(0.1)

    def _read(self) -> None:
        url = f"{self._server.base_url}{self._path}?after_seq={self.held}"
        timeout = httpx.Timeout(5, read=30)
        with httpx.stream("GET", url, headers=self._headers, timeout=timeout, trust_env=False) as answer:
            answer.raise_for_status()
            self.connections += 1
            for text in answer.iter_lines():
                self._take(json.loads(text))
                if self._closed.is_set():
                    return

    def _take(self, line: dict[str, Any]) -> None:
        data = line["data"]
        if line["event"] == "stream_reset":
            self.text[data["step_id"], data["shard_key"]] = ""
        elif line["event"] == "provider_chunk":
            self.text[data["step_id"], data["shard_key"]] += data["content"]
        else:
            self.lines.append(line)
            self.held = line["seq"]
            if line["event"] == "stream_finished":
                self.is_finished.set()


@pytest.fixture(scope="module")
def started_vendor() -> Iterator[FakeVendor]:
    with FakeVendor() as running:
        yield running


@pytest.fixture(scope="module")
def server(on_postgresql: bool, started_vendor: FakeVendor) -> Iterator[Installation]:
    """With the six steps, and every model call at the vendor. One for all: starting takes longer than a test."""
    server = Installation(postgresql=on_postgresql).start()
    profile = {"id": "default", "kind": "openai", "base_uri": started_vendor.openai_url, "default_model": "counted"}
    for path, body in (("providers", profile), ("pipelines", SIX_STEPS)):
        answer = server.request("POST", f"/v1/config/{path}", json=body)
        assert answer.status_code == 200, answer.text
    yield server
    sys.stdout.write(f"--- log of {server.base_url}\n{server.log}\n")
    assert not server.remove()


@pytest.fixture
def vendor(started_vendor: FakeVendor) -> FakeVendor:
    """Without a script and without calls."""
    started_vendor.reset()
    return started_vendor


@pytest.fixture
def follow(server: Installation) -> Iterator[Callable[[str], LineReader]]:
    readers: list[LineReader] = []

    def begin(job_id: str) -> LineReader:
        readers.append(LineReader(server, job_id))
        readers[-1].start()
        return readers[-1]

    yield begin
    for reader in readers:
        reader.close()


def start(server: Installation) -> str:
    answer = server.request("POST", "/v1/jobs", json={"pipeline_type": "six-steps", "input": {"sources": SOURCES}})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job"]["id"])


def job_of(server: Installation, job_id: str) -> dict[str, Any]:
    return dict(server.request("GET", f"/v1/jobs/{job_id}").json()["job"])


def wait_for_success(server: Installation, job_id: str) -> dict[str, Any]:
    ended = ("succeeded", "failed", "cancelled")
    server.wait_for(lambda: job_of(server, job_id)["status"] in ended, 90, f"end of job {job_id}")
    job = job_of(server, job_id)
    assert job["status"] == "succeeded", job["error"]
    return job


def recorded_steps(server: Installation, job_id: str) -> set[str]:
    """The names of the model calls that are recorded."""
    address: str | None = f"/api/runs/{_uuid(job_id)}/steps/?limit=200"
    found: set[str] = set()
    while address:
        page = server.request("GET", address).json()
        found |= {step["name"] for step in page["results"] if step["status"] in ENDED_STEPS}
        address = page["next"] and page["next"].removeprefix(server.base_url)
    return {name for name in found if name.endswith(": model")}


def _uuid(job_id: str) -> str:
    return "-".join((job_id[:8], job_id[8:12], job_id[12:16], job_id[16:20], job_id[20:]))


def asked(vendor: FakeVendor, after: int = 0) -> Counter[str]:
    """How often each text was sent to the vendor."""
    return Counter(call["user_text"] for call in vendor.calls(after=after))


def text_of(name: str) -> str:
    """What the call of an engine's step asked: `check[3]: model` asked `check read#4`."""
    step, _, index = name.removesuffix(": model").partition("[")
    number = int(index[:-1]) if index else 0
    return {"read": f"read <{number}>", "check": f"check read#{number + 1}"}.get(step, step)


def assert_asked_once_but_what_was_under_way(vendor: FakeVendor, recorded: set[str], under_way: set[str]) -> None:
    counts = asked(vendor)
    assert len(counts) == 44, sorted(counts)
    assert {text_of(name): counts[text_of(name)] for name in recorded} == {text_of(name): 1 for name in recorded}
    assert {text for text, count in counts.items() if count > 1} <= under_way
    assert max(counts.values()) <= 2


def assert_told_once_and_in_order(reader: LineReader, job: dict[str, Any]) -> None:
    assert reader.is_finished.wait(60)
    assert [line["seq"] for line in reader.lines] == list(range(1, len(reader.lines) + 1))
    said = [line["event"] for line in reader.lines]
    assert (said[0], said[-2:]) == ("job_queued", ["job_completed", "stream_finished"])
    assert (said.count("stream_finished"), said.count("step_started"), said.count("step_completed")) == (1, 6, 6)
    assert [item["data"]["text"] for item in job["result"]["items"]] == [
        line["data"]["data"]["text"] for line in reader.lines if line["event"] == "item_completed"
    ]


@pytest.mark.parametrize("killed", ["one worker", "everything"])
def test_no_recorded_call_of_a_model_is_repeated_after_a_kill(
    server: Installation, vendor: FakeVendor, follow: Callable[[str], LineReader], killed: str
) -> None:
    vendor.script([{"match": HELD, "gate": "kill", "chunks": ["held ", "answer"], "gate_after": 1}])
    job_id = start(server)
    reader = follow(job_id)
    vendor.wait_until(lambda stats: stats["now"] == 1 and any("#11" in text for text in asked(vendor)))
    before = server.wait_for(lambda: _at_rest(server, vendor, job_id), 60, "state in which one call alone is under way")

    if killed == "one worker":
        for pid in survival.living_drivers(server):
            survival.kill(pid)
    else:
        port = server.base_url.rsplit(":", 1)[1]
        server.kill_tree()
        assert processes.wait_until_gone("PERDURE_DATA_DIR", str(server.data_dir), 5) == []
    under_way = {call["user_text"] for call in vendor.calls(outcome="active")} | {"check read#11"}
    vendor.open("kill")
    if killed == "everything":
        server.start("--no-demo", "--port", port)

    job = wait_for_success(server, job_id)
    assert_asked_once_but_what_was_under_way(vendor, before, under_way)
    assert_told_once_and_in_order(reader, job)
    assert reader.connections >= (2 if killed == "everything" else 1)
    assert reader.text["polish", None] == job["result"]["items"][-1]["data"]["text"]


def _at_rest(server: Installation, vendor: FakeVendor, job_id: str) -> set[str] | None:
    """All calls but the held one are recorded: nothing else of this step can begin before its place is free."""
    recorded = recorded_steps(server, job_id)
    answered = len(vendor.calls(outcome="answered"))
    return recorded if len(recorded) == answered == 39 else None


def test_a_rerun_calls_the_model_only_for_the_steps_from_there_on(server: Installation, vendor: FakeVendor) -> None:
    first = start(server)
    done = wait_for_success(server, first)
    calls = len(vendor.calls())
    assert calls == 44
    answer = server.request("POST", f"/v1/jobs/{first}/rerun", json={"from_step_id": "plan", "reuse_upstream": True})
    assert answer.status_code == 202, answer.text
    again = wait_for_success(server, answer.json()["job"]["id"])
    assert asked(vendor, after=calls) == {"plan": 1, "write": 1, "polish": 1}
    assert [step["status"] for step in again["step_executions"]] == ["skipped"] * 3 + ["success"] * 3
    assert again["parent_job_id"] == first
    assert [item["data"] for item in again["result"]["items"]] == [item["data"] for item in done["result"]["items"]]
