"""The flows that installed apps bring as files: `<app>/flows/*.yaml`, `.yml`, `.json`."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.apps import apps

from flows.agents import loader
from flows.agents.errors import FlowProblem, InvalidFlow
from flows.agents.spec import Flow
from flows.agents.validation import calls
from flows.agents.validation.found import all_steps
from flows.documents import folders


class Loaded(NamedTuple):
    """What the files of this process hold. A file with a problem gives no flow."""

    flows: tuple[Flow, ...]
    problems: tuple[InvalidFlow, ...]
    texts: Mapping[tuple[str, str], str]
    """What stands in the files, by name and version."""


@cache
def loaded() -> Loaded:
    """Read once, when the first of them is wanted: tools and functions are registered by then."""
    return load_files(folders.files_in(folders_of_apps()))


def folders_of_apps() -> list[Path]:
    return [Path(app.path) / "flows" for app in apps.get_app_configs()]


def load_files(paths: Iterable[Path], beside: Iterable[Flow] = ()) -> Loaded:
    """The flows of these files; of two with one name and version the second is a problem.

    They may call each other, and those `beside` them.
    """
    found: dict[tuple[str, str], loader.Loaded] = {}
    problems: list[InvalidFlow] = []
    for path in paths:
        try:
            made = read_file(path)
            if (made.flow.name, made.flow.version) in found:
                twice = f"another file has version {made.flow.version!r} of {made.flow.name!r} already"
                raise InvalidFlow([FlowProblem(twice, "version", remedy="Give it another version.")], str(path))
            found[made.flow.name, made.flow.version] = made
        except InvalidFlow as exc:
            problems.append(exc)
    known = Known([*beside, *(made.flow for made in found.values())])
    fitting: list[Flow] = []
    for made in found.values():
        try:
            made.keep_to(lambda flow: calls.problems_of(flow, known.find))
            fitting.append(made.flow)
        except InvalidFlow as exc:
            problems.append(exc)
    return Loaded(tuple(fitting), tuple(problems), {key: made.text for key, made in found.items()})


def load_folders(given: Iterable[Path]) -> Loaded:
    """The flows of the files in these folders; they may call each other."""
    return load_files(folders.files_in(given))


def load_file(path: Path) -> Flow:
    """The flow of a file that may call those of apps, and of files beside it. Raises InvalidFlow.

    Where a file that is called holds no flow, its own problems are raised.
    """
    made = read_file(path)
    called = {step.call for step in (placed.step for placed in all_steps(made.flow)) if step.call}
    if not called:
        return made.flow
    neighbours, broken = _beside(path)
    for problem in broken:
        if Path(problem.origin).stem in called:
            raise problem
    known = Known([*loaded().flows, *neighbours, made.flow])
    made.keep_to(lambda flow: calls.problems_of(flow, known.find))
    return made.flow


def flows_beside(path: Path) -> list[Flow]:
    """The flows of the other files in a file's folder; those that hold none are left out."""
    return _beside(path)[0]


def _beside(path: Path) -> tuple[list[Flow], list[InvalidFlow]]:
    flows: list[Flow] = []
    broken: list[InvalidFlow] = []
    for file in folders.files_in([path.parent]):
        try:
            if file.resolve() != path.resolve():
                flows.append(read_file(file).flow)
        except InvalidFlow as exc:
            broken.append(exc)
    return flows, broken


def read_file(path: Path) -> loader.Loaded:
    """The flow of a file by itself; what it names lies in the same folder, or below it. Raises InvalidFlow."""
    text = folders.read_file(path, lambda why: InvalidFlow([FlowProblem(why, remedy="Check the path.")], str(path)))
    return loader.Loaded(text, str(path), path.parent)


class Known:
    """Flows by name and version; of two alike the later one counts."""

    def __init__(self, flows: Iterable[Flow]) -> None:
        self._flows = {(one.name, one.version): one for one in flows}

    def find(self, name: str, version: str | None = None) -> Flow | None:
        """The flow; without a version the newest. None where there is none."""
        if version is not None:
            return self._flows.get((name, version))
        versions = [known for own, known in self._flows if own == name]
        return self._flows[name, max(versions, key=folders.version_key)] if versions else None
