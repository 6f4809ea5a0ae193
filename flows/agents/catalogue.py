"""All flows that runs can be started from: the apps' files and the stored ones."""

import difflib

from flows.agents import files
from flows.agents.errors import FlowNotFound
from flows.agents.models import FlowDefinition, Origin
from flows.agents.spec import Flow
from flows.documents import folders


def all_flows() -> list[Flow]:
    """Each flow in its newest version, by name."""
    newest: dict[str, Flow] = {}
    for row in FlowDefinition.objects.filter(origin=Origin.STORED).order_by("id"):
        newest[row.name] = _made(row)
    for made in _of_files():
        newest[made.name] = made
    return sorted(newest.values(), key=lambda made: made.name)


def versions(name: str) -> list[Flow]:
    """The versions of a flow, the newest last: of files by number, of stored ones by the time of storing."""
    of_files = [made for made in _of_files() if made.name == name]
    if of_files:
        return of_files
    storable = str(name)[:100].replace("\0", "?")  # PostgreSQL takes no NUL
    rows = FlowDefinition.objects.filter(name=storable, origin=Origin.STORED).order_by("id")
    return [_made(row) for row in rows]


def find(name: str, version: str | None = None) -> Flow:
    """The flow; without a version the newest. Raises FlowNotFound."""
    known = versions(name)
    if not known:
        near = difflib.get_close_matches(str(name)[:100], [made.name for made in all_flows()], n=1)
        raise FlowNotFound(name, None, near[0] if near else "")
    if version is None:
        return known[-1]
    for made in known:
        if made.version == version:
            return made
    raise FlowNotFound(name, version, known[-1].version)


def _of_files() -> list[Flow]:
    return sorted(files.loaded().flows, key=lambda made: (made.name, folders.version_key(made.version)))


def _made(row: FlowDefinition) -> Flow:
    return Flow.model_validate(row.document)
