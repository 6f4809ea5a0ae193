"""Agents in whole flows: what is said in one step is known in the next, and people are asked in between."""

from datetime import timedelta
from typing import Any

import pytest

from flows.agents.calls import Session
from hitl.models import Question
from providers.scripted import client
from runs import clock, jobs
from runs.models import Step
from runs.testing import crash_after, drain
from tests.agents.flow_runs import begin, came, ended, say
from tests.llm.conftest import profile

__all__ = ["profile"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_world(transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RUNS_UNLOAD_AFTER = 0.05
    monkeypatch.setattr(clock, "_offset", timedelta(0))


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What each call of a model was told, the system's text left out."""
    requests = list[list[str]]()
    chat = client.ScriptedClient.chat

    def seen(self: Any, request: Any) -> Any:
        requests.append([one.text for one in request.messages if one.role != "system"])
        return chat(self, request)

    monkeypatch.setattr(client.ScriptedClient, "chat", seen)
    return requests


SESSIONS = """
name: talk
personas: {coder: You code.}
steps:
  - {name: plan, persona: coder, instruction: Plan., rules: [{condition: when(true), next: reviews}]}
  - name: reviews
    parallel:
      - {name: style, persona: coder, session_key: shared, instruction: Style.}
      - {name: safety, persona: coder, session_key: shared, instruction: Safety.}
      - {name: alone, persona: coder, instruction: Alone.}
    rules: [{condition: when(true), next: build}]
  - {name: build, persona: coder, instruction: Build., rules: [{condition: when(true), next: sum}]}
  - {name: sum, persona: coder, session_key: shared, session: refresh, instruction: Sum.}
"""


@pytest.mark.parametrize("interventions", ["next_step", "interrupt"])
def test_sessions_are_continued_isolated_shared_and_refreshed(sent: list[list[str]], interventions: str) -> None:
    ended(f"{SESSIONS}interventions: {interventions}\n", [{"content": f"a{number}"} for number in range(6)])
    words = ("Plan.", "Style.", "Safety.", "Alone.", "Build.", "Sum.")
    known = {word: call[1:-1:2] for call in sent for word in words if word in call[-1]}
    assert known == {"Plan.": [], "Style.": [], "Safety.": ["a1"], "Alone.": [], "Build.": ["a0"], "Sum.": []}


def test_who_shares_a_session_takes_turns_in_the_files_order_also_after_a_crash(sent: list[list[str]]) -> None:
    run = begin(SESSIONS, [{"content": f"a{number}", "delay_ms": 20 if number == 1 else 0} for number in range(6)])
    with crash_after("2. reviews / style"):
        drain()
    drain()
    assert came(run).run.status == "completed"
    safety = [call for call in sent if "Safety." in call[-1]]
    assert [call[1:-1:2] for call in safety] == [["a1"]]


def test_a_session_can_be_given_to_a_run(sent: list[list[str]]) -> None:
    before = [{"role": "user", "content": "You know it."}, {"role": "assistant", "content": "I do."}]
    ended(
        "name: s\npersonas: {coder: You code.}\nsteps: [{name: a, persona: coder, instruction: Go.}]",
        [{"content": "x"}],
        sessions={"coder": before},
    )
    assert sent[0][:2] == ["You know it.", "I do."]
    assert Session.of(before).messages


REPORTS = """
name: reports
personas: {p: You plan., b: You build.}
steps:
  - {name: plan, persona: p, report: plan.md, rules: [{condition: ok, next: build}]}
  - {name: build, persona: b, instruction: "Build this: {report:plan.md}", report: [{Done: done.md}]}
"""


def test_a_report_is_told_to_later_steps_and_kept(sent: list[list[str]]) -> None:
    write = {"tool": "write_report", "input": {"name": "plan.md", "content": "1. paint it"}}
    run = ended(REPORTS, [{"content": "[PLAN:1]", "tool_use": [write]}, {"content": "painted"}]).run
    assert "Build this: 1. paint it" in sent[-1][-1]
    assert {one.name for one in jobs.artifacts(run.id)} == {"plan.md", "done.md"}
    assert jobs.read_artifact(run.id, "done.md") == b"painted"
    assert run.output["reports"] == ["plan.md", "done.md"]


OTHERS = """
name: others
personas: {p: You plan.}
steps:
  - {name: read, persona: p, instruction: "Found: {report:plan.md}"}
  - {name: plan, persona: p, report: plan.md}
"""


def test_a_run_reads_its_own_reports_alone(sent: list[list[str]]) -> None:
    for _ in range(2):
        ended(OTHERS, [{"content": "read"}, {"content": "secret plan"}])
    first = [call[-1] for call in sent if "Found: " in call[-1]]
    assert len(first) == 2
    assert not any("secret plan" in text for text in first)


TOGETHER = """
name: together
personas: {p: You write.}
steps:
  - name: both
    parallel: [{name: x, persona: p, report: notes.md}, {name: y, persona: p, report: notes.md}]
"""


def test_sub_steps_may_write_the_same_report_at_once() -> None:
    run = ended(TOGETHER, [{"content": "one"}, {"content": "two"}]).run
    kept = {one.version: jobs.read_artifact(run.id, "notes.md", one.version) for one in jobs.artifacts(run.id)}
    assert sorted(kept.values()) == [b"one", b"two"]
    assert sorted(kept) == [1, 2]


STRUCTURED = """
name: s
personas: {p: You count.}
steps:
  - name: count
    persona: p
    structured_output: {schema: {type: object, properties: {n: {type: integer}}, required: [n]}}
    rules:
      - {condition: "when(structured.count.n > 2)", next: COMPLETE}
      - {condition: "when(structured.count.n <= 2)", next: count}
"""


def test_structured_output_decides_also_when_it_had_to_be_asked_for_again(profile: Any, sent: list[list[str]]) -> None:
    profile(rules=[
        {"match": "no structured output", "json": {"n": 1}, "times": 1},
        {"match": "no structured output", "json": {"n": 3}},
        {"text": "I counted."},
    ])  # fmt: skip
    done = ended(STRUCTURED, None)
    assert done.path == ["count", "count"]
    assert [one[2] for one in done.matched] == ["when", "when"]
    assert done.run.output["structured"] == {"n": 3}
    names = Step.objects.filter(run=done.run, kind="stream").order_by("id").values_list("name", flat=True)
    assert list(names) == ["1. count", "1. count: structured", "2. count", "2. count: structured"]


ASKS = """
name: asks
personas: {w: You work.}
workspace: folder
steps: [{name: work, persona: w, permission_mode: default}]
"""


def test_a_call_that_changes_something_waits_for_people_and_then_goes_on(settings: Any, tmp_path: Any) -> None:
    settings.LLM_TOOL_FOLDERS = [str(tmp_path)]
    write = {"tool": "write_file", "input": {"path": "new.txt", "content": "hello"}}
    run = begin(ASKS, [{"content": "end", "tool_use": [write]}], folder=str(tmp_path))
    drain()
    assert not (tmp_path / "new.txt").exists()
    say(run, "approve")
    drain()
    assert came(run).run.status == "completed"
    assert (tmp_path / "new.txt").read_text() == "hello"
    assert Question.objects.get().kind == "tool_call"
