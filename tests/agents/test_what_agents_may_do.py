"""Tools of an agent: those of its step, as far as its permission reaches, in the run's workspace and nowhere else."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, User

from flows.agents import spec
from flows.agents.registry import known_tools
from flows.llm.tools import tool
from flows.llm.tools.registry import forget_tool, register_tool
from hitl.answers import answer
from hitl.models import Question
from runs import clock, jobs
from runs.models import Run, Step
from runs.testing import drain, temporary_jobs
from tests.agents.at_work import Play, answers_of

pytestmark = pytest.mark.django_db(transaction=True)

WRITE = {"tool": "write_file", "input": {"path": "new.txt", "content": "hello"}}
RUN = {"tool": "run_command", "input": {"command": ["echo", "hi"]}}
READ = {"tool": "read_file", "input": {"path": "there.txt"}}


@pytest.fixture(autouse=True)
def _own_world(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[None]:
    settings.RUNS_UNLOAD_AFTER = 0.05
    settings.LLM_TOOL_FOLDERS = [str(tmp_path)]
    settings.LLM_TOOL_COMMANDS = ["echo"]
    monkeypatch.setattr(clock, "_offset", timedelta(0))
    with temporary_jobs():
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "workspace"
    made.mkdir()
    (made / "there.txt").write_text("what is there")
    (tmp_path / "secret.txt").write_text("secret")
    return made


@pytest.fixture
def ann() -> User:
    made = User.objects.create_user("ann")
    made.groups.add(Group.objects.create(name="team"))
    return made


def a(**fields: Any) -> spec.Step:
    return spec.Step.model_validate({"name": "work", "persona": "worker", **fields})


def used(folder: Path | str, *uses: dict[str, Any], owner: User | None = None, **fields: Any) -> Run:
    """A run whose agent calls these tools at once."""
    play = Play([a(**fields)], [{"content": "end", "tool_use": list(uses)}], str(folder))
    return play.start(**({"owner": owner, "team": owner.groups.get()} if owner else {}))


def told(number: int = 1) -> str:
    """What the model is told of its call `number`."""
    plan = Step.objects.get(name="1. work: calls#1").output[number - 1]
    if plan["problem"]:
        return str(plan["problem"])
    row = Step.objects.get(name__regex=rf"^1\. work: [a-z_]+#1\.{number}$")
    return str(row.output if row.status == "completed" else row.error["message"])


EVERY = [READ, WRITE, RUN]


@pytest.mark.parametrize(
    ("permission", "refused", "asked"),
    [
        ("readonly", ["write_file", "run_command"], []),
        ("ask", [], ["write_file", "run_command"]),
        ("edit", [], ["run_command"]),
        ("full", [], []),
    ],
)
def test_a_permission_says_what_is_refused_and_what_is_asked(
    folder: Path, permission: str, refused: list[str], asked: list[str]
) -> None:
    run = used(folder, *EVERY, permission=permission)
    plan = Step.objects.get(name="1. work: calls#1").output
    names = [use["tool"] for use in EVERY]
    assert [name for name, one in zip(names, plan, strict=True) if one["problem"]] == refused
    assert [name for name, one in zip(names, plan, strict=True) if one["needs_approval"]] == asked
    assert [one.context["name"] for one in Question.objects.order_by("id")] == asked
    assert run.status == ("waiting" if asked else "completed")
    assert (folder / "new.txt").exists() is (permission in ("edit", "full"))


def test_a_step_that_may_not_edit_only_reads(folder: Path) -> None:
    used(folder, WRITE, permission="full", edit=False)
    assert "There is no tool 'write_file'" in told()
    assert not (folder / "new.txt").exists()


def test_only_allowed_tools_are_there_by_either_name(folder: Path) -> None:
    used(folder, READ, WRITE, permission="full", allowed_tools=["Read", "nothing_of_that_name"])
    assert told(1) == "what is there"
    assert "Call one of: read_file." in told(2)


def test_a_step_may_have_no_tools(folder: Path) -> None:
    used(folder, READ, permission="full", allowed_tools=[])
    assert "There is no tool" in told()


def test_who_started_the_run_may_approve_work_in_its_workspace(folder: Path, ann: User) -> None:
    run = used(folder, WRITE, owner=ann, permission="ask")
    question = Question.objects.get(run=run)
    assert not (folder / "new.txt").exists()
    answer(question.id, ann, "approve", digest=question.digest)
    drain()
    assert [one.content for one in answers_of(jobs.get(run.id))] == ["end"]
    assert (folder / "new.txt").read_text() == "hello"


def test_what_people_deny_is_not_done_and_the_agent_goes_on(folder: Path, ann: User) -> None:
    run = used(folder, WRITE, owner=ann, permission="ask")
    question = Question.objects.get(run=run)
    answer(question.id, ann, "deny", digest=question.digest, comment="not there")
    drain()
    (given,) = answers_of(jobs.get(run.id))
    assert (given.status, given.content) == ("done", "end")
    assert "not there" in next(one.text for one in given.session.messages if one.role == "tool")
    assert not (folder / "new.txt").exists()


HOSTILE = [
    {"path": "../secret.txt"},
    {"path": "a/../../secret.txt"},
    {"path": "/etc/passwd"},
    {"path": "link/secret.txt"},
    {"path": "link.txt"},
]


@pytest.mark.parametrize("arguments", HOSTILE, ids=str)
def test_nothing_outside_of_the_workspace_is_read_or_written(
    folder: Path, settings: Any, arguments: dict[str, Any]
) -> None:
    (folder / "link").symlink_to(folder.parent)
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
    before = sorted(folder.rglob("*"))
    uses = [{"tool": "read_file", "input": arguments}, {"tool": "write_file", "input": arguments | {"content": "x"}}]
    used(folder, *uses, permission="full")
    assert "secret" not in told(1).replace("secret.txt", "")
    rows = Step.objects.filter(name__startswith="1. work: ", status="failed")
    assert rows.count() == 2
    assert (folder.parent / "secret.txt").read_text() == "secret"
    assert sorted(folder.rglob("*")) == before


def test_a_workspace_that_may_not_be_used_is_not(folder: Path, settings: Any, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "there.txt").write_text("secret")
    settings.LLM_TOOL_FOLDERS = [str(folder)]
    used(outside, READ, WRITE, RUN, permission="full")
    assert all("may not be a workspace" in told(number) for number in (1, 2, 3))
    assert not (outside / "new.txt").exists()


def test_a_workspace_that_was_swapped_for_a_link_is_not_followed(folder: Path) -> None:
    moved = folder.parent / "moved"
    folder.rename(moved)
    folder.symlink_to(moved)
    used(folder, READ, WRITE, RUN, permission="full")
    assert all("symbolic link" in told(number) for number in (1, 2, 3))
    assert not (moved / "new.txt").exists()


def test_another_runs_workspace_is_not_this_runs(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.LLM_TOOL_FOLDERS = []
    theirs = tmp_path / "workspaces" / str(uuid4())
    theirs.mkdir(parents=True)
    (theirs / "there.txt").write_text("theirs")
    used(theirs, READ, permission="full")
    assert "is not this run's" in told()


def test_what_git_keeps_is_not_written(folder: Path) -> None:
    uses = [
        {"tool": "write_file", "input": {"path": path, "content": "[core]\nfsmonitor = touch /tmp/x\n"}}
        for path in (".git/config", "sub/.GIT/hooks/pre-commit", ".git")
    ]
    used(folder, *uses, permission="full")
    assert all("Nothing is written into .git" in told(number) for number in (1, 2, 3))
    assert [one.name for one in folder.iterdir()] == ["there.txt"]


def test_a_run_without_a_workspace_has_no_tools_that_see_files(folder: Path, settings: Any) -> None:
    settings.LLM_TOOL_FOLDERS = [str(folder)]
    used("", READ, RUN, permission="full")
    assert "There is no tool 'read_file'" in told(1)
    assert "There is no tool 'run_command'" in told(2)


def test_programs_run_in_the_workspace_if_the_settings_allow_them(folder: Path, settings: Any) -> None:
    settings.LLM_TOOL_COMMANDS = ["pwd"]
    uses = [{"tool": "run_command", "input": {"command": ["pwd", "-P"]}}, RUN]
    used(folder, *uses, permission="full")
    assert told(1).splitlines() == [str(folder.resolve()), "", "[exit code 0]"]
    assert "'echo hi' is not allowed" in told(2)


def test_results_of_tools_are_bounded(folder: Path, settings: Any) -> None:
    settings.LLM_TOOL_RESULT_CHARS = 1000
    (folder / "there.txt").write_text("x" * 100_000)
    used(folder, READ)
    assert len(told()) < 1200


@pytest.fixture
def mailed() -> Iterator[list[str]]:
    sent: list[str] = []

    @register_tool
    @tool(needs_approval=True)
    def send_mail(to: str) -> str:
        """Send a mail."""
        sent.append(to)
        return f"sent to {to}"

    @register_tool(level="reads")
    @tool
    def look_up(word: str) -> str:
        """Look up a word."""
        return f"{word} is known"

    yield sent
    forget_tool("send_mail")
    forget_tool("look_up")


MAIL = {"tool": "send_mail", "input": {"to": "bob"}}


def test_tools_of_apps_are_there_once_a_step_names_them(folder: Path, mailed: list[str]) -> None:
    assert {"send_mail", "look_up", "read_file", "Bash"} <= known_tools()
    used(folder, MAIL, permission="full")
    assert "There is no tool 'send_mail'" in told()
    assert mailed == []


def test_a_read_only_agent_has_those_that_read(folder: Path, mailed: list[str]) -> None:
    names = ["send_mail", "look_up"]
    used(folder, MAIL, {"tool": "look_up", "input": {"word": "cat"}}, allowed_tools=names)
    assert "Call one of: look_up." in told(1)
    assert told(2) == "cat is known"


def test_who_started_the_run_does_not_approve_an_apps_tool(folder: Path, mailed: list[str], ann: User) -> None:
    used(folder, MAIL, owner=ann, permission="edit", allowed_tools=["send_mail"])
    question = Question.objects.get()
    assert not question.starter_may_answer
    assert mailed == []
