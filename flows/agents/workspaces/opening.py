"""A workspace opened to work in: checked each time, because what a run has recorded of it may be of another run."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

from asgiref.sync import sync_to_async

from flows.agents.workspaces import places
from flows.agents.workspaces.errors import WorkspaceRefused
from flows.llm.tools.errors import ToolRefused
from flows.llm.tools.local.folders import Place, allowed_folders, locate, open_folder
from runs.errors import RunNotFound
from runs.jobs import get

_MOST = 100


@asynccontextmanager
async def open_workspace_folder(run_id: UUID, path: str) -> AsyncIterator[int]:
    """Its file descriptor. Raises WorkspaceRefused."""
    place = await sync_to_async(place_of)(run_id, path)
    with open_place(place) as opened:
        yield opened


@contextmanager
def open_place(place: Place) -> Iterator[int]:
    """Its file descriptor. Raises WorkspaceRefused."""
    try:
        with open_folder(place) as opened:
            yield opened
    except (ToolRefused, FileNotFoundError, NotADirectoryError, PermissionError) as exc:
        remedy = "Name another folder, or start the run anew."
        raise WorkspaceRefused(f"The workspace {place.shown!r} cannot be opened: {_told(exc)}", remedy) from exc


def place_of(run_id: UUID, path: str) -> Place:
    """A run's own workspace, that of a run it comes from, or an allowed folder. Raises WorkspaceRefused."""
    owner = places.run_of(path)
    if owner is None:
        return _allowed(path)
    if owner not in lineage(run_id):
        remedy = "Fork from its first step, so that it gets a workspace of its own."
        raise WorkspaceRefused(f"The workspace of run {owner} is not this run's", remedy)
    return Place(str(places.all_workspaces()), (str(owner),))


def _allowed(path: str) -> Place:
    if not allowed_folders():
        remedy = "Have the operator allow one in PERDURE_LLM_TOOL_FOLDERS."
        raise WorkspaceRefused(f"The folder {path[:300]!r} may not be a workspace: no folder is allowed", remedy)
    try:
        return locate(path)
    except ToolRefused as exc:
        remedy = "Have the operator allow it in PERDURE_LLM_TOOL_FOLDERS, or name another one."
        raise WorkspaceRefused(f"The folder {path[:300]!r} may not be a workspace: {_told(exc)}", remedy) from exc


def _told(exc: Exception) -> str:
    return str(exc).removesuffix(".")


def lineage(run_id: UUID) -> set[UUID]:
    """The run, those that it is a part of, and those that it was forked from: a fork goes on in the same files."""
    found: set[UUID] = set()
    wanted: list[UUID | None] = [run_id]
    while wanted and len(found) < _MOST:
        one = wanted.pop()
        if one is None or one in found:
            continue
        found.add(one)
        try:
            run = get(one)
        except RunNotFound:
            continue
        wanted += [run.parent_id, run.forked_from_id]
    return found
