"""The documents that installed apps bring as files in a folder of theirs."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

SUFFIXES = (".yaml", ".yml", ".json")


def files_in(folders: Iterable[Path]) -> Iterator[Path]:
    """The documents of these folders, by name; what lies in folders below them is none of their own."""
    for folder in folders:
        yield from sorted(one for one in folder.glob("*") if one.suffix in SUFFIXES and one.is_file())


def read_file(path: Path, refused: Callable[[str], Exception]) -> str:
    """The text of a file; what `refused` makes of the reason is raised where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise refused(f"it cannot be read: {exc}") from exc


def version_key(version: str) -> list[tuple[int, int | str]]:
    """Versions in the order people mean: 1.9 before 1.10."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", version) if part]
