"""The definitions that installed apps bring as files: `<app>/pipelines/*.yaml`, `.yml`, `.json`."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.apps import apps

from flows.pipelines.errors import InvalidPipeline, Problem
from flows.pipelines.loader import load
from flows.pipelines.spec import PipelineDef

SUFFIXES = (".yaml", ".yml", ".json")


class Loaded(NamedTuple):
    """What the files of this process hold. A file with a problem gives no definition."""

    definitions: tuple[PipelineDef, ...]
    problems: tuple[InvalidPipeline, ...]


@cache
def loaded() -> Loaded:
    """Read once, when the first of them is wanted: tools and functions are registered by then."""
    return load_folders(Path(app.path) / "pipelines" for app in apps.get_app_configs() if app.label != "pipelines")


def load_folders(folders: Iterable[Path]) -> Loaded:
    """The definitions of these folders; of two with one type and version the second is a problem."""
    found: dict[tuple[str, str], PipelineDef] = {}
    problems: list[InvalidPipeline] = []
    for folder in folders:
        for path in sorted(one for one in folder.glob("*") if one.suffix in SUFFIXES and one.is_file()):
            try:
                made = load(path.read_text(encoding="utf-8"), str(path))
                if (made.type, made.version) in found:
                    twice = Problem(f"another file has version {made.version!r} of {made.type!r} already", "version")
                    raise InvalidPipeline([twice], str(path))
                found[made.type, made.version] = made
            except InvalidPipeline as exc:
                problems.append(exc)
            except (OSError, UnicodeDecodeError) as exc:
                problems.append(InvalidPipeline([Problem(f"it cannot be read: {exc}")], str(path)))
    return Loaded(tuple(found.values()), tuple(problems))


def version_key(version: str) -> list[tuple[int, int | str]]:
    """Versions in the order people mean: 1.9 before 1.10."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", version) if part]
