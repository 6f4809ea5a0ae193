"""The definitions that installed apps bring as files: `<app>/pipelines/*.yaml`, `.yml`, `.json`."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.apps import apps

from flows.documents import Problem, folders
from flows.pipelines.errors import InvalidPipeline
from flows.pipelines.loader import load
from flows.pipelines.spec import PipelineDef


class Loaded(NamedTuple):
    """What the files of this process hold. A file with a problem gives no definition."""

    definitions: tuple[PipelineDef, ...]
    problems: tuple[InvalidPipeline, ...]
    texts: Mapping[tuple[str, str], str]
    """What stands in the files, by type and version."""


@cache
def loaded() -> Loaded:
    """Read once, when the first of them is wanted: tools and functions are registered by then."""
    return load_folders(Path(app.path) / "pipelines" for app in apps.get_app_configs() if app.label != "pipelines")


def load_folders(given: Iterable[Path]) -> Loaded:
    """The definitions of these folders; of two with one type and version the second is a problem."""
    found: dict[tuple[str, str], PipelineDef] = {}
    problems: list[InvalidPipeline] = []
    texts: dict[tuple[str, str], str] = {}
    for path in folders.files_in(given):
        try:
            text = folders.read_file(path, lambda why: InvalidPipeline([Problem(why)], str(path)))  # noqa: B023
            made = load(text, str(path))
            if (made.type, made.version) in found:
                twice = Problem(f"another file has version {made.version!r} of {made.type!r} already", "version")
                raise InvalidPipeline([twice], str(path))
            found[made.type, made.version], texts[made.type, made.version] = made, text
        except InvalidPipeline as exc:
            problems.append(exc)
    return Loaded(tuple(found.values()), tuple(problems), texts)
