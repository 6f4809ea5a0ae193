"""An agent that is a program: it is told what to do, shown while it works, asks people, and goes on by its session."""

import json
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.agents.commanding import agent, process
from hitl.answers import withdraw
from hitl.models import Question
from runs import clock, jobs
from runs.jobs import Retry
from runs.models import Attempt, Event, Step
from runs.testing import crash_after, drain, temporary_jobs
from tests.agents.at_work import answers_of, step_names
from tests.agents.programs import allow, answered, member, play, step

PROTOCOLS = pytest.mark.parametrize("protocol", ["perdure", "claude-code"])


@pytest.fixture(autouse=True)
def _own_world(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[None]:
    settings.RUNS_UNLOAD_AFTER = 0.05
    monkeypatch.setattr(clock, "_offset", timedelta(0))
    monkeypatch.setattr(agent, "RETRIES", Retry(max_attempts=2, initial=0, jitter=0))
    allow(settings, tmp_path)
    with temporary_jobs():
        yield


@PROTOCOLS
def test_it_works_in_the_folder_and_its_result_is_the_answer(protocol: str, tmp_path: Path, settings: Any) -> None:
    allow(settings, tmp_path, protocol=protocol)
    acts = ("text Hello", "write made.txt some words", "raw a notice", "done I wrote it.\\n[FIX:1]")
    (answer,) = play(tmp_path, *acts).answers()
    assert (answer.status, answer.content, answer.error) == ("done", "I wrote it.\n[FIX:1]", "")
    assert (tmp_path / "made.txt").read_text() == "some words"
    assert Event.objects.get(type="step:complete", step="1. fix").data["frames"] == 1
    used = Attempt.objects.get(step_name="1. fix").usage
    assert (used["provider"], used["model"], used["output_tokens"]) == ("coder", "test-model", 5)
    assert used["input_tokens"] == (17 if protocol == "claude-code" else 10)


def test_it_is_told_what_the_step_says(tmp_path: Path) -> None:
    play(tmp_path, "done", permission="edit", allowed_tools=["Read", "Bash(git:*)"], model="m1").answers()
    told = json.loads((tmp_path / "order.json").read_text())
    assert told == {
        "type": "start", "instruction": "done", "system": "You are tested.", "session": None, "permission": "edit",
        "allowed_tools": ["Read", "Bash(git:*)"], "model": "m1", "again": False,
    }  # fmt: skip


def test_claude_code_is_told_what_the_step_says(tmp_path: Path, settings: Any) -> None:
    allow(settings, tmp_path, protocol="claude-code")
    play(tmp_path, "done", edit=False, allowed_tools=["Read", "Bash(git:*)"], model="m1").answers()
    told = json.loads((tmp_path / "order.json").read_text())
    assert "--append-system-prompt=You are tested." in told
    assert "--tools=AskUserQuestion,Bash,Read" in told
    assert "--disallowedTools=Edit,MultiEdit,NotebookEdit,Write" in told
    assert {"--model=m1", "--permission-prompt-tool=stdio", "--setting-sources=user", "--strict-mcp-config"} <= {*told}


@PROTOCOLS
def test_the_next_step_goes_on_in_its_session(protocol: str, tmp_path: Path, settings: Any) -> None:
    allow(settings, tmp_path, protocol=protocol)
    first, second, third = play(tmp_path, "done", steps=[step("a"), step("b"), step("c", session="refresh")]).answers()
    assert first.session is not None
    assert first.session.id
    assert second.session == first.session
    assert third.session != first.session


@PROTOCOLS
def test_a_call_waits_for_people_and_it_goes_on_by_its_session(protocol: str, tmp_path: Path, settings: Any) -> None:
    allow(settings, tmp_path, protocol=protocol)
    team, alice = member()
    acts = ("write before.txt x", 'want Bash runs {"command": "make"}', "write after.txt y", "done ok")
    run = play(tmp_path, *acts).start(team=team)
    asked = Question.objects.get(run=run, status="open")
    assert (run.status, asked.kind, asked.title) == ("waiting", "tool_call", "Call Bash?")
    assert asked.context["arguments"] == {"command": "make"}
    assert not (tmp_path / "after.txt").exists(), "no program is left that goes on"
    os.unlink(tmp_path / "before.txt")
    run = answered(run, alice, "approve")
    (answer,) = answers_of(run)
    assert (answer.status, answer.content) == ("done", "ok")
    assert (tmp_path / "after.txt").exists()
    assert not (tmp_path / "before.txt").exists(), "what was done before is not done again"
    assert step_names(run)[:5] == [
        "1. fix", "1. fix: asks #1", "1. fix: asks #1: answer", "1. fix: asks #1: outcome", "1. fix #2",
    ]  # fmt: skip
    assert sum(one.usage["output_tokens"] for one in Attempt.objects.filter(run=run, usage__isnull=False)) == 6


@PROTOCOLS
def test_people_may_change_a_call_or_deny_it(protocol: str, tmp_path: Path, settings: Any) -> None:
    allow(settings, tmp_path, protocol=protocol)
    team, alice = member()
    acts = ('want Bash runs {"command": "make"}', 'want Bash runs {"command": "rm"}', "done ok")
    run = play(tmp_path, *acts).start(team=team)
    run = answered(run, alice, "approve", {"command": "make test"})
    run = answered(run, alice, "deny", comment="too dangerous")
    (answer,) = answers_of(run)
    assert answer.content == "ok"
    outputs = json.dumps([one.output for one in Step.objects.filter(run=run, name__contains="asks")])
    assert "too dangerous" in outputs
    if protocol == "claude-code":
        assert "too dangerous" in (tmp_path / "told.txt").read_text()


@PROTOCOLS
def test_a_question_is_answered_by_people(protocol: str, tmp_path: Path, settings: Any) -> None:
    allow(settings, tmp_path, protocol=protocol)
    team, alice = member()
    run = play(tmp_path, "ask Which colour?", "choose red|blue", "done ok").start(team=team)
    assert Question.objects.get(run=run, status="open").kind == "input"
    run = answered(run, alice, "submit", {"answer": "green"})
    asked = Question.objects.get(run=run, status="open")
    assert (asked.kind, asked.choices) == ("choice", ["red", "blue"])
    run = answered(run, alice, "choose", "blue")
    assert answers_of(run)[0].content == "ok"


def test_a_question_that_is_withdrawn_is_told_as_unanswered(tmp_path: Path, db: None) -> None:
    _, alice = member()
    run = play(tmp_path, "ask Which colour?", "done ok").start(owner=alice)
    withdraw(Question.objects.get(run=run, status="open").id, alice, "never mind")
    drain()
    assert answers_of(jobs.get(run.id))[0].content == "ok"


@pytest.mark.parametrize(
    ("permission", "levels"), [("readonly", "reads edits runs"), ("ask", "reads"), ("full", "edits runs")]
)
def test_what_the_permission_decides_nobody_is_asked_about(permission: str, levels: str, tmp_path: Path) -> None:
    wants = [f"want T {level} {{}}" for level in levels.split()]
    run = play(tmp_path, *wants, "done ok", permission=permission).start()
    assert answers_of(run)[0].content == "ok"
    assert not Question.objects.exists()


def test_a_crash_is_tried_again_in_its_session(tmp_path: Path) -> None:
    (answer,) = play(tmp_path, "write a.txt 1", "crash once", "done ok").answers()
    assert (answer.error, answer.content, answer.structured) == ("", "ok", {"starts": 2})
    assert [one.outcome for one in Attempt.objects.order_by("number")] == ["failed", "completed"]


def test_one_that_crashes_again_and_again_is_an_error_that_names_its_last_words(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_API_KEY", "sk-very-secret")
    allow(settings, tmp_path, env=["TEST_API_KEY"])
    (answer,) = play(tmp_path, "text sk-very-secret", "crash").answers()
    assert answer.status == "error"
    assert "ended with exit code 3" in answer.error
    assert "it broke with ***" in answer.error
    assert "sk-very" not in json.dumps(list(Event.objects.values_list("data", flat=True)))
    assert answer.failed_steps == ("1. fix",)


@PROTOCOLS
def test_its_own_error_is_not_tried_again(protocol: str, tmp_path: Path, settings: Any) -> None:
    allow(settings, tmp_path, protocol=protocol)
    (answer,) = play(tmp_path, "fail no credit left").answers()
    assert (answer.status, answer.error) == ("error", "no credit left")
    assert Attempt.objects.count() == 1


@pytest.mark.parametrize(
    ("acts", "told"),
    [
        (['raw {"type": "text", "text"'], "a line that is no JSON"), (["raw " + '{"a":' * 5000], "no JSON"),
        (['raw {"type": "result", "content": 7}'], r"does not fit \(result.content"),
        (['raw {"type": "text", "text": NaN}'], "no JSON"),
        (['raw {"type": "result", "structured": 1e999}'], "no JSON"),
        (["long 0.2"], "a line of more than 65536 bytes"), (["flood 0.3"], "wrote more than 262144 bytes"),
        ([f'raw {{"type": "session", "id": "{n}"}}' for n in range(20)], "more than 10 sessions"),
        (['raw {"type": []}', 'raw {"type": "usage", "input_tokens": -1}'], r"does not fit \(usage.input_tokens"),
        (["say no session", "want T runs {}"], "before it has told its session"),
    ],
)  # fmt: skip
def test_what_is_not_of_its_protocol_is_an_error_and_not_tried_again(
    acts: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "MAX_LINE", 64 * 1024)
    monkeypatch.setattr(process, "MAX_OUTPUT", 256 * 1024)
    (answer,) = play(tmp_path, *acts, "done").answers()
    assert answer.status == "error"
    assert re.search(told, answer.error)
    assert Attempt.objects.count() == 1


def test_what_no_database_takes_is_replaced(tmp_path: Path) -> None:
    team, alice = member()
    odd = r"a\u0000b\ud800"
    acts = (
        f'raw {{"type": "text", "text": "{odd}"}}',
        f'want T runs {{"a": "{odd}"}}',
        f"ask {odd}",
        "done ok",
    )
    run = play(tmp_path, *acts).start(team=team)
    assert Question.objects.get(run=run).context["arguments"] == {"a": "a\ufffdb\ufffd"}
    run = answered(run, alice, "approve")
    run = answered(run, alice, "submit", {"answer": "yes"})
    assert answers_of(run)[0].content == "ok"


def test_it_sees_nothing_of_the_workers_environment(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-other")
    monkeypatch.setenv("GIVEN", "yes")
    allow(settings, tmp_path, env=["GIVEN"])
    play(tmp_path, "env", "done").answers()
    seen = json.loads((tmp_path / "environment.json").read_text())
    assert set(seen) - {"LC_CTYPE"} == {"PATH", "HOME", "LANG", "GIVEN", "GIT_CEILING_DIRECTORIES"}


@pytest.mark.parametrize(
    ("commands", "told"),
    [({}, "None is allowed here"), ({"coder": {"argv": ["./evil"]}}, "There is no program")],
)  # fmt: skip
def test_it_is_off_until_the_settings_allow_it(
    commands: dict[str, Any], told: str, tmp_path: Path, settings: Any
) -> None:
    settings.AGENTS_COMMANDS = commands
    (answer,) = play(tmp_path, "done").answers()
    assert answer.status == "error"
    assert told in answer.error


def test_a_folder_that_is_not_allowed_is_refused(tmp_path: Path, settings: Any) -> None:
    settings.LLM_TOOL_FOLDERS = [str(tmp_path / "inside")]
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside/link").symlink_to(tmp_path)
    for folder in (tmp_path, tmp_path / "inside/link", tmp_path / "inside/../..", tmp_path / "inside/none"):
        (answer,) = play(folder, "done").answers()
        assert answer.status == "error"
        assert "workspace" in answer.error
    assert not (tmp_path / "order.json").exists()


def test_what_was_recorded_is_not_asked_for_again_after_a_crash(tmp_path: Path) -> None:
    team, alice = member()
    run = play(tmp_path, "write one.txt 1", "want T runs {}", "done ok").start(team=team)
    with crash_after("1. fix #2"):
        run = answered(run, alice, "approve")
    drain()
    assert answers_of(jobs.get(run.id))[0].structured == {"starts": 2}


def test_a_step_of_a_script_starts_no_program(tmp_path: Path) -> None:
    scripted = play(tmp_path, "done")
    scripted.entries = [{"content": "from the script"}]
    (answer,) = scripted.answers()
    assert answer.content == "from the script"
    assert not (tmp_path / "order.json").exists()


def test_blocked_is_said_as_a_model_says_it(tmp_path: Path) -> None:
    (answer,) = play(tmp_path, "done [BLOCKED]\\nWhich version?").answers()
    assert (answer.status, answer.content) == ("blocked", "Which version?")


def test_structured_output_is_asked_for_once_more(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"starts": {"type": "integer"}}, "required": ["starts"]}
    (answer,) = play(tmp_path, "done ok", output_schema=schema).answers()
    assert answer.structured == {"starts": 1}
