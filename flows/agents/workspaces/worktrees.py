"""A run's own working copy of a repository, on a branch of its own."""

import asyncio
import os
from contextlib import suppress
from uuid import UUID

from flows.agents.workspaces import places
from flows.agents.workspaces.errors import GitFailed, WorkspaceRefused
from flows.agents.workspaces.git import Repository
from flows.agents.workspaces.places import Note
from flows.llm.tools.errors import ToolRefused
from flows.llm.tools.local.folders import locate


def branch_of(run_id: UUID) -> str:
    return f"perdure/{run_id}"


async def add(run_id: UUID, folder: str, at_end: str) -> str:
    """A new working copy of what is checked out in `folder`; its path. What an attempt before this one left of it is
    thrown away: nobody has worked in it yet. Raises GitFailed, WorkspaceRefused."""
    repository = Repository(folder)
    await check(repository)
    branch = branch_of(run_id)
    base = await _commit_of(repository)
    note = Note(repository=folder, branch=branch, base=base, at_end=at_end)
    places.write_note(run_id, note)  # before anything is there that would have to be removed
    await _discard(run_id, repository)
    if await repository.has("show-ref", "--verify", "--quiet", f"refs/heads/{branch}"):
        await repository.run("branch", "-D", branch)
    place = str(places.own_place(run_id))
    await repository.run("worktree", "add", "--quiet", "-b", branch, place, base)
    os.chmod(place, 0o700)
    places.write_note(run_id, note.model_copy(update={"is_ready": True}))
    return place


async def check(repository: Repository) -> None:
    """That it is the top folder of a repository which lies where agents may work. Raises WorkspaceRefused."""
    folder = repository.folder
    wrong = f"{folder!r} is not the top folder of a git repository"
    if not await asyncio.to_thread(os.path.lexists, os.path.join(folder, ".git")):
        raise WorkspaceRefused(wrong, "Name one, or write `workspace: folder`.")
    try:
        common, top = await repository.common_dir(), await repository.read("rev-parse", "--show-toplevel")
    except GitFailed as exc:
        remedy = "Name one that its owner lets the worker's user read (git's safe.directory)."
        raise WorkspaceRefused(wrong, remedy) from exc
    if not await asyncio.to_thread(os.path.samefile, top, folder):
        raise WorkspaceRefused(wrong, "Name the top folder.")
    try:
        locate(common)
    except ToolRefused as exc:
        raise WorkspaceRefused(f"The repository of {folder!r} lies outside of the allowed folders", str(exc)) from exc


async def remove(run_id: UUID, note: Note) -> None:
    """What is in it is committed to its branch, which stays; a branch without a change goes. Raises GitFailed."""
    repository = Repository(note.repository)
    if not await asyncio.to_thread(os.path.isdir, note.repository):
        return  # nothing to go back to
    if note.is_ready:
        await _commit_all(run_id, repository)
    await _discard(run_id, repository)
    with suppress(GitFailed):
        if await repository.read("rev-parse", "--verify", f"refs/heads/{note.branch}") == note.base:
            await repository.run("branch", "-D", note.branch)


async def _commit_of(repository: Repository) -> str:
    try:
        return await repository.read("rev-parse", "--verify", "HEAD^{commit}")
    except GitFailed as exc:
        raise WorkspaceRefused(f"{repository.folder!r} has no commit yet", "Commit something to begin with.") from exc


async def _commit_all(run_id: UUID, repository: Repository) -> None:
    """By the repository's own record of the working copy: its `.git` is a file that agents could have changed."""
    git_dir, place = await _record_of(run_id, repository), str(places.own_place(run_id))
    if git_dir is None or not await asyncio.to_thread(os.path.isdir, place):
        return
    own = {"git_dir": git_dir, "work_tree": place}
    await repository.run("-C", place, "add", "--all", **own)
    if (await repository.run("-C", place, "status", "--porcelain", **own)).strip():
        message = f"What run {run_id} left uncommitted"
        await repository.run("-C", place, "commit", "--quiet", "--no-verify", "--message", message, **own)


async def _record_of(run_id: UUID, repository: Repository) -> str | None:
    found = os.path.join(await repository.common_dir(), "worktrees", str(run_id))
    return found if await asyncio.to_thread(os.path.isdir, found) else None


async def _discard(run_id: UUID, repository: Repository) -> None:
    await asyncio.to_thread(places.remove_own_place, run_id)
    with suppress(GitFailed):
        await repository.run("worktree", "prune", "--expire", "now")
