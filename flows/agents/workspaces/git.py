"""git, so that nothing of a repository's own runs: agents may have written into it.

Its hooks, its monitor of files and its filters are programs that the repository names; a missing object of a partial
clone would be fetched by a program that it names.
"""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from flows.agents.workspaces.errors import GitFailed, WorkspaceRefused
from flows.llm.tools.local.commands import find_program, run_without_shell, search_path

_SECONDS: Final = 600
_PLAIN: Final = (
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.untrackedCache=false", "commit.gpgSign=false",
    "gc.auto=0", "maintenance.auto=false", "submodule.recurse=false", "protocol.allow=never",
    "core.sshCommand=false", "credential.helper=", "advice.detachedHead=false",
)  # fmt: skip
_WHO = ("user.name=Perdure", "user.email=perdure@localhost")


class Repository:
    """The repository whose checked-out files are in `folder`."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._settings: list[str] | None = None

    async def run(self, *words: str, git_dir: str | None = None, work_tree: str | None = None) -> str:
        """What git writes, errors with it. Raises GitFailed, WorkspaceRefused."""
        return await self._run(words, await self._safe_settings(), git_dir, work_tree, with_errors=True)

    async def read(self, *words: str) -> str:
        """What git writes, without its warnings. Raises GitFailed, WorkspaceRefused."""
        return (await self._run(words, await self._safe_settings(), None, None, with_errors=False)).strip()

    async def has(self, *words: str) -> bool:
        """Whether git answers yes."""
        try:
            await self.read(*words)
        except GitFailed:
            return False
        return True

    async def common_dir(self) -> str:
        """Where the repository keeps its objects, an absolute path. Raises GitFailed, WorkspaceRefused."""
        found = await self.read("rev-parse", "--git-common-dir")
        return await asyncio.to_thread(os.path.realpath, os.path.join(self.folder, found))

    async def _safe_settings(self) -> list[str]:
        """Filters are known by name only; those of the user's own configuration are the operator's, and stay."""
        if self._settings is None:
            plain = [*_PLAIN, *_WHO]
            given = ("config", "--list", "--name-only", "--show-scope", "-z")
            told = await self._run(given, plain, None, None, with_errors=False)
            parts = told.split("\0")
            named = {
                name.rpartition(".")[0]
                for scope, name in zip(parts[::2], parts[1::2], strict=False)
                if scope in ("local", "worktree") and name.lower().startswith("filter.")
            }
            for name in sorted(named):
                plain += [f"{name}.smudge=", f"{name}.clean=", f"{name}.process=", f"{name}.required=false"]
            self._settings = plain
        return self._settings

    async def _run(
        self, words: Sequence[str], plain: Sequence[str], git_dir: str | None, work_tree: str | None, *,
        with_errors: bool,
    ) -> str:  # fmt: skip
        program = find_program("git")
        if program is None:
            raise WorkspaceRefused("There is no git where this worker runs", "Install it, or use `workspace: folder`.")
        flags = [flag for one in plain for flag in ("-c", one)]
        argv = [program, *flags, *words]
        ran = await run_without_shell(
            argv, self.folder, _SECONDS, _environment(git_dir, work_tree), with_errors=with_errors
        )
        if ran.code != 0:
            raise GitFailed(words[0], ran.output if with_errors else ran.end)
        return ran.output


def _environment(git_dir: str | None, work_tree: str | None) -> dict[str, str]:
    found = {
        "PATH": search_path(), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "HOME": str(Path.home()),
        "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none", "GIT_OPTIONAL_LOCKS": "0",
    }  # fmt: skip
    if git_dir is not None:
        found["GIT_DIR"] = git_dir
    if work_tree is not None:
        found["GIT_WORK_TREE"] = work_tree
    return found
