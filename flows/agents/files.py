"""The flows that installed apps bring as files: `<app>/flows/*.yaml`, `.yml`, `.json`."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.apps import apps

from flows.agents.errors import FlowProblem, InvalidFlow
from flows.agents.loader import load
from flows.agents.spec import Flow
from flows.documents import folders


class Loaded(NamedTuple):
    """What the files of this process hold. A file with a problem gives no flow."""

    flows: tuple[Flow, ...]
    problems: tuple[InvalidFlow, ...]


@cache
def loaded() -> Loaded:
    """Read once, when the first of them is wanted: tools and functions are registered by then."""
    return load_folders(Path(app.path) / "flows" for app in apps.get_app_configs())


def load_folders(given: Iterable[Path]) -> Loaded:
    """The flows of these folders; of two with one name and version the second is a problem."""
    found: dict[tuple[str, str], Flow] = {}
    problems: list[InvalidFlow] = []
    for path in folders.files_in(given):
        try:
            made = load_file(path)
            if (made.name, made.version) in found:
                twice = f"another file has version {made.version!r} of {made.name!r} already"
                raise InvalidFlow([FlowProblem(twice, "version", remedy="Give it another version.")], str(path))
            found[made.name, made.version] = made
        except InvalidFlow as exc:
            problems.append(exc)
    return Loaded(tuple(found.values()), tuple(problems))


def load_file(path: Path) -> Flow:
    """The flow of a file; what it names lies in the same folder, or below it. Raises InvalidFlow."""
    text = folders.read_file(path, lambda why: InvalidFlow([FlowProblem(why, remedy="Check the path.")], str(path)))
    return load(text, str(path), path.parent)
