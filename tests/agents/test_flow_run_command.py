"""`manage.py flow run` starts a run of a named flow or of a file, and refuses what does not fit in one line."""

import io
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from flows.agents.commands.run import line_of
from flows.agents.models import FlowDefinition
from runs.events.types import RunEvent
from runs.models import Run
from tests.pipelines.people import member

PARENT = """
name: parent
steps:
  - {name: begin, agent: You begin., rules: [{condition: go, next: inner}]}
  - {name: inner, call: child, rules: [{condition: good, next: COMPLETE}]}
"""
CHILD = """
name: child
subflow: {callable: true, returns: [good]}
steps:
  - {name: look, persona: looker, rules: [{condition: fine, return: good}]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a flow with one that it calls, whose persona is a file, and a scenario."""
    (tmp_path / "personas").mkdir()
    (tmp_path / "personas/looker.md").write_text("You look.")
    (tmp_path / "parent.yaml").write_text(PARENT)
    (tmp_path / "child.yaml").write_text(CHILD)
    (tmp_path / "scenario.json").write_text(json.dumps([{"content": "[begin:1]"}]))
    return tmp_path


def started(*arguments: str) -> list[str]:
    """The words that it prints."""
    out = io.StringIO()
    call_command("flow", "run", *arguments, stdout=out)
    return out.getvalue().split()


@pytest.mark.django_db
def test_a_file_is_started_with_those_beside_it_that_it_calls(folder: Path):
    owner = member("ann", "team")
    arguments = (
        str(folder / "parent.yaml"), "--task=do it", "--var", "a=b=c", "--max-steps=3", "--user=ann", "--team=team",
        f"--folder={folder}", "--scenario", str(folder / "scenario.json"), "--idempotency-key=once",
    )  # fmt: skip
    run_id, address = started(*arguments)
    run = Run.objects.get()
    assert (str(run.id), f"http://localhost:8000/runs/{run.id}/") == (run_id, address)
    assert (run.job, run.owner, run.team.name, run.labels) == ("agent-flow", owner, "team", {"flow": "parent"})
    wanted = {"task": "do it", "vars": {"a": "b=c"}, "max_steps": 3, "scenario": [{"content": "[begin:1]"}]}
    assert run.input.items() >= wanted.items()
    assert run.input["folder"] == str(folder)
    child = FlowDefinition.objects.get(digest=run.input["definitions"]["child"])
    assert child.document["personas"]["looker"]["prompt"] == "You look."
    assert started(*arguments)[0] == run_id


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["no-such-flow"], "There is no agent flow 'no-such-flow'."),
        (["{folder}/none.yaml"], "none.yaml: it cannot be read: "),
        (["{folder}"], "Is a directory"),
        (["{folder}/scenario.json"], "scenario.json: line 1: "),
        (
            ["{folder}/parent.yaml", "--scenario={folder}/parent.yaml"],
            "parent.yaml: The scenario is no JSON at line 2.",
        ),
        (["{folder}/parent.yaml", "--var=a"], "--var a has no value. Write it as --var NAME=TEXT."),
        (["{folder}/parent.yaml", "--folder=/no/such"], "--folder /no/such is no folder. Name one that is there."),
        (["{folder}/parent.yaml", "--max-steps=0"], "max_steps: Input should be greater than or equal to 1"),
        (["{folder}/parent.yaml", "--user=nobody"], "There is no user 'nobody'. Create one in the admin"),
        (["{folder}/parent.yaml", "--team=none"], "There is no team 'none'. Create it in the admin"),
    ],
)
@pytest.mark.django_db
def test_bad_input_is_refused_in_one_line_and_starts_nothing(folder: Path, arguments: list[str], problem: str):
    out = io.StringIO()
    with pytest.raises(CommandError) as refused:
        call_command("flow", "run", *(one.format(folder=folder) for one in arguments), "--task=x", stdout=out)
    assert (refused.value.returncode, out.getvalue()) == (64, "")
    assert problem in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not Run.objects.exists()


@pytest.mark.django_db
def test_a_called_file_that_holds_no_flow_is_told_with_its_own_problem(folder: Path):
    (folder / "child.yaml").write_text("name: child\nsteps: []\n")
    with pytest.raises(CommandError, match=r"child\.yaml: line 2: this is empty"):
        started(str(folder / "parent.yaml"), "--task=x")


def test_following_tells_transitions_and_no_engine_room():
    chosen = {"iteration": 1, "from": "plan", "condition": "ok", "method": "tag"}
    assert told("flow:transition", chosen | {"to": "code"}) == "1. plan → code  ok (tag)"
    assert told("flow:transition", chosen | {"sub": "a\x1b"}) == "1. plan / a\\x1b  ok (tag)"
    assert told("flow:loop", {"cycle": ["a", "b"]}) == "a loop is found: a → b"
    assert told("run:fail", {"error": {"message": "It failed."}}) == "run:fail It failed."
    assert told("step:start", {}) == ""


def told(type_: str, data: dict[str, Any]) -> str:
    return line_of(RunEvent(type_, uuid4(), data)).strip()
