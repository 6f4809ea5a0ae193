"""The changelog of a folder: its newest version, and what it says about one."""

import re
from pathlib import Path

from examples.release_train.schema import Notes, Release
from examples.repository_report.folder import LeavesFolder, list_files, open_folder, read_inside
from examples.text import code, counted

CHANGELOG = "CHANGELOG.md"
_HEADING = re.compile(r"^## +\[?v?(\d{1,5})\.(\d{1,5})\.(\d{1,5})\b[^\n]*\n", re.MULTILINE)


class NoChangelogEntry(Exception):
    def __init__(self, version: str, problem: str) -> None:
        super().__init__(
            f"{CHANGELOG} {problem}. Write a section `## {version}` at its top, or release another version."
        )


def choose_version(folder: str, version: str) -> Release:
    """The version that is asked for, else the minor version after the newest. Raises FolderNotUsable."""
    root = str(open_folder(folder))
    if not version:
        newest = _HEADING.search(_read(root))
        version = f"{newest[1]}.{int(newest[2]) + 1}.0" if newest else "0.1.0"
    return Release(folder=root, version=version)


def read_notes(release: Release) -> Notes:
    """The section of the version, which must be the newest. Raises NoChangelogEntry."""
    text = _read(release.folder)
    found = list(_HEADING.finditer(text))
    if not found:
        raise NoChangelogEntry(release.version, "has no section of a version")
    newest = ".".join(found[0].groups())
    if newest != release.version:
        raise NoChangelogEntry(release.version, f"is about {newest} at its top, not about {release.version}")
    end = found[1].start() if len(found) > 1 else len(text)
    section = text[found[0].end() : end].strip()
    if not section:
        raise NoChangelogEntry(release.version, f"says nothing about {release.version}")
    return Notes(source="changelog", text=section)


def draft_notes(release: Release) -> Notes:
    """What the folder holds, by its top folders. Raises FolderNotUsable."""
    counts: dict[str, tuple[int, int]] = {}
    for path in list_files(release.folder, 2000).paths:
        top = path.partition("/")[0] if "/" in path else "."
        files, lines = counts.get(top, (0, 0))
        try:
            counts[top] = files + 1, lines + read_inside(release.folder, path).count(b"\n")
        except (OSError, LeavesFolder):
            continue
    rows = [
        f"- {code(top)}: {counted(files, 'Python file')}, {counted(lines, 'line')}"
        for top, (files, lines) in sorted(counts.items())
    ]
    text = f"Draft, because {CHANGELOG} has no section for {release.version}. It holds:\n\n" + "\n".join(rows)
    return Notes(source="draft", text=text)


def _read(root: str) -> str:
    """Empty where there is none that can be read."""
    try:
        return read_inside(root, CHANGELOG).decode(errors="replace") if Path(root, CHANGELOG).exists() else ""
    except (OSError, LeavesFolder):
        return ""
