"""Where the agents of a run work on files: allowed folders, folders of the run's own, and working copies."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from flows.agents import spec
from flows.agents.run_input import FlowInput
from flows.agents.workspaces import places
from flows.agents.workspaces.errors import WorkspaceRefused
from flows.agents.workspaces.opening import open_place, place_of
from flows.agents.workspaces.sweeping import sweep
from flows.agents.workspaces.workspace import close_workspace, open_workspace
from runs import jobs
from runs.jobs import Job, StepContext, job
from runs.models import Run, Step
from runs.testing import crash_after, drain, temporary_jobs

WORKTREE = {"kind": "git-worktree"}


@pytest.fixture(autouse=True)
def _own_world(transactional_db: None, settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.DATA_DIR = tmp_path / "data"
    settings.LLM_TOOL_FOLDERS = [str(tmp_path / "work")]
    (tmp_path / "work").mkdir()
    with temporary_jobs():
        yield


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """With a file that is committed, and all that it could have run."""
    made = tmp_path / "work/project"
    git(tmp_path, "init", "--quiet", "--initial-branch=main", str(made))
    (made / "file.txt").write_text("one\n")
    (made / ".gitattributes").write_text("*.txt filter=evil\n")
    git(made, "add", ".")
    git(made, "commit", "--quiet", "--message", "first")
    ran = tmp_path / "ran"
    for name in ("post-checkout", "pre-commit", "post-commit", "reference-transaction", "post-index-change"):
        hook = made / ".git/hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
        hook.chmod(0o755)
    for setting in ("core.fsmonitor", "filter.evil.smudge", "filter.evil.clean", "filter.evil.process", "gpg.program"):
        git(made, "config", setting, f"touch {ran}; cat")
    git(made, "config", "filter.evil.required", "true")
    git(made, "config", "commit.gpgSign", "true")
    return made


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


@dataclass
class Stage:
    step: StepContext
    flow: spec.Flow
    input: FlowInput


def flow_of(workspace: dict[str, Any] | None, agent: str = "llm") -> spec.Flow:
    return spec.Flow.model_validate(
        {"name": "f", "initial_step": "a", "steps": [{"name": "a", "persona": "p"}], "workspace": workspace,
         "personas": {"p": {"agent": agent, "command": "coder"}}}
    )  # fmt: skip


def working(flow: spec.Flow, *, act: str = "", fail: bool = False) -> Job:
    @job("working", on_end=close_workspace)
    async def run(step: StepContext, given: FlowInput) -> str:
        folder = await open_workspace(Stage(step, flow, given))
        if act:
            await step.run("act", write, folder, act)
        if fail:
            raise RuntimeError("on purpose")
        return folder

    return run


def write(folder: str, name: str) -> None:
    Path(folder, name).write_text("by an agent\n")


def done(workspace: dict[str, Any] | None, folder: Path | str = "", *, agent: str = "llm", **fields: Any) -> Run:
    working(flow_of(workspace, agent), **fields)
    run = jobs.start("working", {"flow": "f", "folder": str(folder)}).run
    drain()
    return jobs.get(run.id)


def test_a_run_that_works_on_no_files_has_none() -> None:
    assert done(None).output == ""
    assert not Step.objects.exists()


def test_a_folder_that_is_named_is_worked_in_and_never_removed(tmp_path: Path) -> None:
    (tmp_path / "work/a/b").mkdir(parents=True)
    run = done({"kind": "folder", "at_end": "remove"}, tmp_path / "work/a/b", act="x.txt")
    assert run.output == str(tmp_path / "work/a/b")
    assert (tmp_path / "work/a/b/x.txt").exists()
    assert done(None, "a/b").output == run.output, "a relative one is inside of the first allowed folder"


def test_another_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "work/a").mkdir()
    (tmp_path / "work/file.txt").write_text("x")
    (tmp_path / "work/link").symlink_to("/etc")
    (tmp_path / "work/a/link").symlink_to(tmp_path / "work/a")
    outside = ("/etc", "..", "../outside", "a/../..", "link", "a/link", "none", "file.txt", "a\0b", str(tmp_path))
    for folder in outside:
        with pytest.raises(WorkspaceRefused), open_place(place_of(uuid4(), folder)):
            pass
    run = done({"kind": "folder"}, "/etc")
    assert (run.status, "WorkspaceRefused" in run.error["message"]) == ("failed", True)


def test_nothing_is_allowed_without_the_setting(settings: Any, tmp_path: Path) -> None:
    settings.LLM_TOOL_FOLDERS = []
    assert "PERDURE_LLM_TOOL_FOLDERS" in done(None, tmp_path).error["message"]


@pytest.mark.parametrize("at_end", ["keep", "remove"])
def test_without_a_folder_it_is_an_empty_one_of_its_own(at_end: str) -> None:
    run = done({"kind": "folder", "at_end": at_end}, act="x.txt")
    own = places.own_place(run.id)
    assert run.output == str(own)
    assert own.exists() == (at_end == "keep")
    if own.exists():
        assert (own.stat().st_mode & 0o777, [one.name for one in own.iterdir()]) == (0o700, ["x.txt"])


def test_a_program_has_a_folder_also_where_the_flow_names_none() -> None:
    run = done(None, agent="command")
    assert run.output == str(places.own_place(run.id))


def test_a_working_copy_has_a_branch_of_its_own_and_runs_nothing_of_the_repository(
    repository: Path, tmp_path: Path
) -> None:
    run = done(WORKTREE, repository, act="new.txt")
    own = places.own_place(run.id)
    assert run.output == str(own)
    assert (own / "file.txt").read_text() == "one\n"
    assert git(own, "branch", "--show-current").strip() == f"perdure/{run.id}"
    assert sorted(one.name for one in repository.iterdir()) == [".git", ".gitattributes", "file.txt"]
    assert not (tmp_path / "ran").exists()


def test_a_working_copy_that_is_removed_leaves_its_work_on_its_branch(repository: Path, tmp_path: Path) -> None:
    run = done({**WORKTREE, "at_end": "remove"}, repository, act="new.txt")
    branch = f"perdure/{run.id}"
    assert not places.own_place(run.id).exists()
    assert git(repository, "show", f"{branch}:new.txt") == "by an agent\n"
    assert git(repository, "show", f"{branch}:file.txt") == "one\n"
    assert git(repository, "worktree", "list").count("\n") == 1
    assert not (tmp_path / "ran").exists()


def test_a_branch_without_a_change_is_not_left_behind(repository: Path) -> None:
    done({**WORKTREE, "at_end": "remove"}, repository)
    assert git(repository, "branch", "--list").split() == ["*", "main"]


def test_of_a_failed_run_it_stays_as_long_as_the_run_does(repository: Path) -> None:
    run = done({**WORKTREE, "at_end": "remove"}, repository, act="new.txt", fail=True)
    assert run.status == "failed"
    assert (places.own_place(run.id) / "new.txt").exists()
    jobs.delete(run.id)
    os.utime(places.own_place(run.id), (0, 0))
    assert sweep() == 1
    assert not list(places.known_runs())
    assert git(repository, "show", f"perdure/{run.id}:new.txt") == "by an agent\n"


def test_what_belongs_to_a_run_that_is_there_is_not_swept() -> None:
    run = done({"kind": "folder"})
    os.utime(places.own_place(run.id), (0, 0))
    assert sweep() == 0
    assert places.own_place(run.id).exists()


def test_a_crash_in_the_making_leaves_nothing_in_the_way(repository: Path) -> None:
    working(flow_of(WORKTREE))
    run = jobs.start("working", {"flow": "f", "folder": str(repository)}).run
    with crash_after("workspace", before_record=True):
        drain()
    (places.own_place(run.id) / "half.txt").write_text("half")
    drain()
    assert jobs.get(run.id).output == str(places.own_place(run.id))
    assert not (places.own_place(run.id) / "half.txt").exists()


def test_a_git_file_that_an_agent_changed_leads_nowhere(repository: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git(tmp_path, "init", "--quiet", str(other))
    flow = flow_of({**WORKTREE, "at_end": "remove"})

    @job("misled", on_end=close_workspace)
    async def misled(step: StepContext, given: FlowInput) -> str:
        folder = await open_workspace(Stage(step, flow, given))
        await step.run("mislead", mislead, folder, f"gitdir: {other}/.git\n")
        return folder

    run = jobs.start("misled", {"flow": "f", "folder": str(repository)}).run
    drain()
    assert git(repository, "show", f"perdure/{run.id}:new.txt") == "by an agent\n"
    assert not (other / ".git/index").exists()


def mislead(folder: str, text: str) -> None:
    Path(folder, ".git").write_text(text)
    write(folder, "new.txt")


def test_a_repository_that_lies_elsewhere_is_refused(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "work/sly").mkdir()
    git(tmp_path, "init", "--quiet", str(tmp_path / "elsewhere"))
    (tmp_path / "work/sly/.git").write_text(f"gitdir: {tmp_path}/elsewhere/.git\n")
    (repository / "inner").mkdir()
    (tmp_path / "work/plain").mkdir()
    git(tmp_path, "init", "--quiet", str(tmp_path / "work/empty"))
    for folder, told in (
        ("sly", "outside of the allowed folders"), ("project/inner", "not the top folder"), ("plain", "not the top"),
        ("empty", "no commit yet"), ("", "none is named"),
    ):  # fmt: skip
        run = done(WORKTREE, folder)
        assert run.status == "failed", folder
        assert told in run.error["message"]


def test_a_flow_that_is_called_works_where_its_caller_does(repository: Path) -> None:
    inner = flow_of({**WORKTREE, "at_end": "remove"})

    @job("inner", on_end=close_workspace)
    async def called(step: StepContext, given: FlowInput) -> str:
        folder = await open_workspace(Stage(step, inner, given))
        await step.run("act", write, folder, "inner.txt")
        return folder

    @job("outer", on_end=close_workspace)
    async def outer(step: StepContext, given: FlowInput) -> list[str]:
        folder = await open_workspace(Stage(step, flow_of(WORKTREE), given))
        return [folder, await step.child("call", "inner", {"flow": "f", "folder": folder})]

    run = jobs.start("outer", {"flow": "f", "folder": str(repository)}).run
    drain()
    own = str(places.own_place(run.id))
    assert jobs.get(run.id).output == [own, own]
    assert Path(own, "inner.txt").exists()


def test_another_runs_workspace_is_refused(repository: Path) -> None:
    other = done(WORKTREE, repository)
    assert "is not this run's" in done({"kind": "folder"}, other.output).error["message"]
    made_up = places.all_workspaces() / str(uuid4())
    assert done({"kind": "folder"}, made_up).status == "failed"
    assert done({"kind": "folder"}, places.all_workspaces()).status == "failed"
    assert places.run_of(f"{other.output}/../x") is None
    assert places.run_of(other.output) == UUID(str(other.id))


def test_a_fork_goes_on_in_the_same_files(repository: Path) -> None:
    run = done(WORKTREE, repository, act="new.txt")
    forked = jobs.fork(run.id, "act")
    drain()
    assert jobs.get(forked.id).output == run.output
