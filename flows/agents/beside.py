"""Flows that a file's flow calls and that lie in the same folder: they come before those of apps."""

from collections.abc import Iterator
from pathlib import Path

from flows.agents import files
from flows.agents.errors import InvalidFlow
from flows.agents.files import Loaded
from flows.agents.spec import Flow
from flows.agents.validation.found import all_steps
from flows.documents import folders


def called_beside(path: Path, flow: Flow) -> dict[str, Flow]:
    """What the flow of this file calls, also by way of others, by name. Others are left to the catalogue.

    Raises InvalidFlow for a file that is called and holds no flow.
    """
    if not any(_calls(flow)):
        return {}
    loaded = files.load_files(folders.files_in([path.parent]), files.loaded().flows)
    found = {flow.name: flow}
    left = [flow]
    while left:
        for name, version in _calls(left.pop()):
            if name not in found and (made := _named(loaded, name, version)) is not None:
                found[name] = made
                left.append(made)
    del found[flow.name]
    return found


def _calls(flow: Flow) -> Iterator[tuple[str, str | None]]:
    return ((one.step.call, one.step.call_version) for one in all_steps(flow) if one.step.call)


def _named(loaded: Loaded, name: str, version: str | None) -> Flow | None:
    fitting = [one for one in loaded.flows if one.name == name and version in (None, one.version)]
    if fitting:
        return max(fitting, key=lambda one: folders.version_key(one.version))
    broken = next((one for one in loaded.problems if Path(one.origin).stem == name), None)
    if broken is not None:
        raise InvalidFlow(broken.problems, broken.origin)
    return None
