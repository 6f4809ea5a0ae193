"""Agents of tests that are programs: `coding_cli.py`, in a folder of their own."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group, User

from flows.agents import spec
from hitl.answers import answer
from hitl.models import Question
from runs import jobs
from runs.models import Run
from runs.testing import drain
from tests.agents.at_work import Play

CLI = str(Path(__file__).with_name("coding_cli.py"))


def allow(settings: Any, folder: Path, **command: Any) -> None:
    """The program as command `coder`, and the folder to work in."""
    settings.AGENTS_COMMANDS = {"coder": {"argv": [sys.executable, CLI], **command}}
    settings.LLM_TOOL_FOLDERS = [str(folder)]


def step(name: str = "fix", **fields: Any) -> spec.Step:
    return spec.Step.model_validate({"name": name, "persona": "coder", "permission": "ask", **fields})


def play(folder: Path, *acts: str, steps: Sequence[spec.Step] = (), **fields: Any) -> Play:
    """`acts` are what the program is told to do."""
    return Play(
        steps or [step(**fields)], folder=str(folder), instruction="\n".join(acts),
        personas={"coder": spec.Persona(agent="command", command="coder")},
    )  # fmt: skip


def member() -> tuple[Group, User]:
    team = Group.objects.create(name="night shift")
    user = User.objects.create_user("alice")
    user.groups.add(team)
    return team, user


def answered(run: Run, user: User, decision: str, value: Any = None, **more: Any) -> Run:
    """The run after its open question was answered."""
    asked = Question.objects.get(run=run, status="open")
    answer(asked.id, user, decision, value, digest=asked.digest, **more)
    drain()
    return jobs.get(run.id)
