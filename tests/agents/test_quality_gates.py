"""Quality gates that are commands: they run in the workspace, and what fails goes back to the agent."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.agents import spec
from providers.scripted import client
from runs import clock, jobs
from runs.models import Step
from runs.testing import crash_after, drain, temporary_jobs
from tests.agents.at_work import Play, answers_of, step_names

pytestmark = pytest.mark.django_db(transaction=True)

GATE = {"name": "tests", "command": ["test", "-e", "fixed"]}
MEND = {"tool": "write_file", "input": {"path": "fixed", "content": "x"}}


@pytest.fixture(autouse=True)
def _own_world(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[None]:
    settings.RUNS_UNLOAD_AFTER = 0.05
    settings.LLM_TOOL_FOLDERS = [str(tmp_path)]
    settings.LLM_TOOL_COMMANDS = ["test", "ls"]
    monkeypatch.setattr(clock, "_offset", timedelta(0))
    with temporary_jobs():
        yield


def play(folder: Path | str, *gates: dict[str, Any], entry: dict[str, Any] | None = None, **fields: Any) -> Play:
    given = {"name": "work", "persona": "worker", "permission": "full", "quality_gates": gates or [GATE], **fields}
    return Play([spec.Step.model_validate(given)], [entry or {"content": "end"}], str(folder))


def test_one_that_holds_lets_the_answer_through(tmp_path: Path) -> None:
    (tmp_path / "fixed").touch()
    (answer,) = play(tmp_path).answers()
    assert (answer.status, answer.content) == ("done", "end")
    assert step_names() == ["1. work", "1. work: gate 1 tests#1"]


def test_a_failure_goes_back_to_the_agent_in_its_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[str]()
    chat = client.ScriptedClient.chat

    def mending(self: Any, request: Any) -> Any:
        asked.append(request.last_user_text)
        if len(asked) == 2:
            (tmp_path / "fixed").touch()
        return chat(self, request)

    monkeypatch.setattr(client.ScriptedClient, "chat", mending)
    (answer,) = play(tmp_path, {"command": ["ls", "fixed"]}, reports=[{"name": "r"}]).answers()
    assert (answer.status, answer.content, answer.reports) == ("done", "end", {"r": "end"})
    assert step_names() == [
        "1. work", "1. work: gate 1#1", "1. work again #1", "1. work: gate 1#2", "1. work: report r",
    ]  # fmt: skip
    assert len(answer.session.messages) == 4
    assert "The quality gate `1` does not hold yet. `ls fixed` wrote this" in asked[1]
    assert "No such file" in asked[1]
    assert "[exit code 2]" in asked[1]


def test_one_that_never_holds_fails_the_step_after_its_rounds(tmp_path: Path) -> None:
    (answer,) = play(tmp_path, most_gate_rounds=2).answers()
    assert answer.status == "error"
    assert "The quality gate 'test -e fixed' does not hold: [exit code 1]" in answer.error
    assert answer.failed_steps == ("1. work: gate 1 tests#3",)
    works = [name for name in step_names() if ":" not in name]
    assert works == ["1. work", "1. work again #1", "1. work again #2"]


def test_all_that_fail_are_told_at_once(tmp_path: Path) -> None:
    play(tmp_path, GATE, {"command": ["ls", "other"]}, most_gate_rounds=1).answers()
    assert [name for name in step_names() if "gate" in name][:2] == ["1. work: gate 1 tests#1", "1. work: gate 2#1"]


def test_a_blocked_answer_passes_no_gate(tmp_path: Path) -> None:
    (answer,) = play(tmp_path, entry={"status": "blocked", "content": "which?"}).answers()
    assert answer.status == "blocked"
    assert step_names() == ["1. work"]


@pytest.mark.parametrize(
    ("gate", "told"),
    [
        ({"command": ["sh", "-c", "touch fixed"]}, "is not allowed"),
        ({"command": ["test -e fixed; touch fixed"]}, "is not allowed"),
    ],
)
def test_a_command_that_is_not_allowed_is_not_run(tmp_path: Path, gate: dict[str, Any], told: str) -> None:
    (answer,) = play(tmp_path, gate).answers()
    assert answer.status == "error"
    assert told in answer.error
    assert list(tmp_path.iterdir()) == []


def test_it_needs_a_workspace() -> None:
    (answer,) = play("").answers()
    assert "this run has no workspace" in answer.error


def test_a_text_is_for_the_agent_alone(tmp_path: Path) -> None:
    (answer,) = play(tmp_path, {"text": "All is well."}).answers()
    assert answer.status == "done"
    assert step_names() == ["1. work"]


def test_one_that_takes_too_long_is_stopped(tmp_path: Path, settings: Any) -> None:
    settings.LLM_TOOL_COMMANDS = ["sleep"]
    (answer,) = play(tmp_path, {"command": ["sleep", "60"], "timeout_seconds": 0.1}, most_gate_rounds=1).answers()
    assert "[stopped after 0.1 s]" in answer.error


@pytest.mark.parametrize("dies_after", ["1. work: gate 1 tests#1", "1. work again #1"])
def test_it_goes_on_between_two_rounds_after_a_crash(tmp_path: Path, dies_after: str) -> None:
    with crash_after(dies_after):
        run = play(tmp_path).start()
    (tmp_path / "fixed").touch()
    drain()
    (answer,) = answers_of(jobs.get(run.id))
    assert answer.status == "done"
    assert Step.objects.get(name="1. work: gate 1 tests#1").output["code"] == 1
    assert step_names(run)[-1] == "1. work: gate 1 tests#2"


def test_programs_of_a_gate_see_nothing_of_the_worker(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_SECRET", "hidden")
    settings.LLM_TOOL_COMMANDS = ["env"]
    play(tmp_path, {"command": ["env"]}).answers()
    output = Step.objects.get(name="1. work: gate 1#1").output["output"]
    assert "PATH=" in output
    assert "hidden" not in output
