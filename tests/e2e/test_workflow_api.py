"""`coding-agent` over the workflow API: it edits real files, waits for a signal, and goes on after restarts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.servers.installation import Installation

TASK = 'Replace "Hello" by "Good morning" in greeting.py.'
SOURCE = 'def greet(name):\n    return "Hello, " + name\n'
EDITED = SOURCE.replace("Hello", "Good morning")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = tmp_path / "allowed" / "shop"
    made.mkdir(parents=True)
    (made / "greeting.py").write_text(SOURCE)
    return made


@pytest.fixture
def server(install: Callable[..., Installation], project: Path) -> Installation:
    return install(PERDURE_LLM_TOOL_FOLDERS=str(project.parent)).start()


def start(server: Installation, **more: Any) -> str:
    body = {"projectId": "shop", "task": TASK, "userId": "u-17", "metadata": {"maxIterations": 12}} | more
    answer = server.request("POST", "/api/workflows/start", json=body)
    assert (answer.status_code, answer.json()["status"]) == (201, "PENDING"), answer.text
    return str(answer.json()["workflowId"])


def ask(server: Installation, workflow: str) -> dict[str, Any]:
    answer = server.request("GET", f"/api/workflows/{workflow}/query")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def wait_for_review(server: Installation, workflow: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        told = ask(server, workflow)
        assert told["status"] in ("PENDING", "RUNNING"), told
        awaited = [one["signalName"] for one in told["pendingSignals"] if one["status"] == "AWAITED"]
        return told if awaited == ["review"] else None

    return server.wait_for(look, 90, "wait for the review")


def finished(told: dict[str, Any]) -> dict[str, Any]:
    """What is recorded, by step, with the time of its end: a step that is done again ends again."""
    return {one["name"]: one["finishedAt"] for one in told["agentSteps"] if one["status"] == "completed"}


def end_of(server: Installation, workflow: str) -> dict[str, Any]:
    return server.wait_for(
        lambda: told if (told := ask(server, workflow))["status"] == "COMPLETED" else None, 90, "end of the workflow"
    )


def test_it_edits_files_waits_for_the_review_and_goes_on_after_a_kill_and_a_restart(
    server: Installation, project: Path
) -> None:
    workflow = start(server)
    begun = server.wait_for(lambda: told if finished(told := ask(server, workflow)) else None, 60, "first step")
    server.kill_tree()
    server.start()
    waiting = wait_for_review(server, workflow)
    assert finished(begun).items() <= finished(waiting).items()
    assert (project / "greeting.py").read_text() == EDITED
    assert (waiting["currentIteration"], waiting["maxIterations"]) == (4, 12)
    assert waiting["agentEdits"] == [{"file": "greeting.py", "operation": "edit_file", "step": "work 1: edit_file#3.1"}]
    assert [one["role"] for one in waiting["conversationHistory"]] == ["user", *["assistant", "tool"] * 3, "assistant"]
    assert server.stop() == 0
    server.start()
    sent = server.request(
        "POST", f"/api/workflows/{workflow}/signal",
        json={"signalName": "review", "data": {"approved": True, "feedback": "Well done."}},
    )  # fmt: skip
    assert sent.json() == {"success": True}
    told = end_of(server, workflow)
    assert finished(waiting).items() <= finished(told).items()
    assert (told["result"]["decision"], told["result"]["iterations"]) == ("approved", 5)
    assert (project / "greeting.py").read_text() == EDITED
    assert_its_events_tell_all_of_it(server, workflow)


def assert_its_events_tell_all_of_it(server: Installation, workflow: str) -> None:
    answer = server.request("GET", f"/api/workflows/{workflow}/events", headers={"Accept": "text/event-stream"})
    names = [line.removeprefix("event: ") for line in answer.text.splitlines() if line.startswith("event: ")]
    assert {"iteration", "tool_call", "tool_result", "artifact:save", "complete"} <= set(names)
    assert names[-1] == "complete"
    numbers = [int(line.removeprefix("id: ")) for line in answer.text.splitlines() if line.startswith("id: ")]
    assert numbers == list(range(1, len(numbers) + 1))
    diff = server.request("GET", f"/api/runs/{workflow}/artifacts/changes.diff/")
    assert '+    return "Good morning, " + name' in diff.text


def test_feedback_sends_it_back_to_work(server: Installation, project: Path) -> None:
    workflow = start(server)
    wait_for_review(server, workflow)
    feedback = {"approved": False, "feedback": 'Replace "Good morning" by "Good day" in greeting.py'}
    early = {"signalName": "review", "data": {"approved": True}}
    server.request("POST", f"/api/workflows/{workflow}/signal", json={"signalName": "review", "data": feedback})
    server.request("POST", f"/api/workflows/{workflow}/signal", json=early)  # kept until it is waited for
    told = end_of(server, workflow)
    assert told["result"]["decision"] == "approved"
    assert (project / "greeting.py").read_text() == SOURCE.replace("Hello", "Good day")
    assert [one["signalName"] for one in told["conversationHistory"] if one["role"] == "user"] == [
        None, "review", "review",
    ]  # fmt: skip
