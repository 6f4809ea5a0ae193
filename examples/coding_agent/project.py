"""The folder that is worked in, and what its files were before: kept beside it, so that the change can be shown."""

import os
from pathlib import Path
from uuid import UUID

from examples.coding_agent.schema import Changes, Edit
from examples.coding_assistant.editing import unified_diff
from examples.sources.allowed import is_own_data
from examples.work_folder import work_folder
from flows.llm.tools.conf import get_settings
from flows.llm.tools.errors import ToolRefused
from flows.llm.tools.local.folders import confined_to, locate, open_file

JOB = "coding-agent"
MOST_BYTES = 5 * 1024 * 1024
MOST_DIFF = 500_000
"""Characters: a recorded result has its limit."""

DEMO = {
    "greeting.py": '"""Greets people."""\n\n\ndef greet(name: str) -> str:\n    return f"Hello, {name}!"\n',
    "test_greeting.py": 'from greeting import greet\n\n\ndef test_it_names_who_is_greeted() -> None:\n'
    '    assert "Ada" in greet("Ada")\n',
    "README.md": "# greeting\n\nA small project for `coding-agent` to work in.\n",
}  # fmt: skip


class ProjectNotAllowed(Exception):
    """The same for a folder that is not there and for one that may not be changed: nobody learns which there are."""

    is_retryable = False

    def __init__(self, project: str) -> None:
        super().__init__(
            f"There is no project {project[:200]!r} that may be changed. Name a folder inside PERDURE_LLM_TOOL_FOLDERS."
        )


def open_project(project: str, run_id: UUID) -> str:
    """The project's folder, resolved; a copy of the example's own where none is named. Raises ProjectNotAllowed."""
    return _demo(run_id) if not project else str(_allowed(project))


def _demo(run_id: UUID) -> str:
    folder = work_folder(JOB, run_id) / "project"
    folder.mkdir(mode=0o700, exist_ok=True)
    for name, text in DEMO.items():
        if not (folder / name).exists():
            (folder / name).write_text(text)
    return str(folder)


def _allowed(project: str) -> Path:
    if "\0" in project:
        raise ProjectNotAllowed(project)
    roots = [Path(one).expanduser().resolve() for one in get_settings().folders]
    for root in roots:
        folder = (root / project).resolve()  # an absolute one stays as it is
        inside = any(folder.is_relative_to(one) for one in roots)
        if inside and folder.is_dir() and not is_own_data(folder):
            return folder
    raise ProjectNotAllowed(project)


class Originals:
    """What the files of a run's project were before it changed them. Kept once: a call that is made again after a crash
    finds its own change in the project already."""

    def __init__(self, run_id: UUID) -> None:
        folder = work_folder(JOB, run_id)
        self._texts, self._created = folder / "originals", folder / "created"

    def keep(self, parts: tuple[str, ...], content: bytes | None) -> None:
        """`content` is that of the file, None where there is none yet."""
        text, created = self._texts.joinpath(*parts), self._created.joinpath(*parts)
        if text.exists() or created.exists():
            return
        target = created if content is None else text
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = target.with_name(f".{target.name}.part")
        unfinished.write_bytes(content or b"")
        os.replace(unfinished, target)

    def changes(self, folder: str) -> Changes:
        """How the project differs from what it was."""
        found = [*_paths(self._texts), *_paths(self._created)]
        diffs, edits = [], []
        for path in sorted(found):
            original = self._texts / path
            before = _as_text(original.read_bytes() if original.exists() else None)
            after = _as_text(content_of(folder, path))
            if diff := unified_diff(path, before, after):
                diffs.append(diff)
                edits.append(_edit(path, diff, is_new=not original.exists()))
        return Changes(diff=_bounded("".join(diffs)), edits=edits)


def changes_of(run_id: UUID, folder: str) -> Changes:
    return Originals(run_id).changes(folder)


def _edit(path: str, diff: str, *, is_new: bool) -> Edit:
    lines = diff.splitlines()[2:]
    added, removed = (sum(line.startswith(sign) for line in lines) for sign in "+-")
    return Edit(file=path, operation="create" if is_new else "update", added=added, removed=removed)


def _paths(folder: Path) -> list[str]:
    files = (one for one in folder.rglob("*") if one.is_file() and not one.name.endswith(".part"))
    return [str(one.relative_to(folder)) for one in files]


def content_of(folder: str, path: str) -> bytes | None:
    """What a file of the project holds now; None for one that is not there, or that no tool reads."""
    try:
        with confined_to(folder), open_file(locate(path)) as opened, os.fdopen(os.dup(opened), "rb") as file:
            return file.read(MOST_BYTES)
    except (ToolRefused, OSError):
        return None


def _as_text(content: bytes | None) -> str:
    return (content or b"").decode("utf-8", "replace").replace("\0", "\ufffd")


def _bounded(diff: str) -> str:
    return diff if len(diff) <= MOST_DIFF else f"{diff[:MOST_DIFF]}\n[the rest of the change is left out]\n"
