"""The workspace of a run: made by its first step, and kept or removed at its end."""

import asyncio
import os
from typing import Protocol
from uuid import UUID

from asgiref.sync import sync_to_async

from flows.agents.naming import WORKSPACE
from flows.agents.run_input import FlowInput
from flows.agents.spec import Flow, Workspace
from flows.agents.workspaces import places, worktrees
from flows.agents.workspaces.errors import WorkspaceRefused
from flows.agents.workspaces.opening import open_place, place_of
from flows.agents.workspaces.places import Note
from runs.jobs import EndedRun, StepContext


class Scene(Protocol):
    """What a workspace needs of a run; `flows.agents.execution.scene.Scene` is one."""

    step: StepContext
    flow: Flow
    input: FlowInput


async def open_workspace(scene: Scene) -> str:
    """The absolute path of the run's workspace, in the step `workspace`; empty for a run that works on no files.

    That is a run whose flow has no `workspace` and no agent that is a program, and that was given no folder. Without
    a folder it is an empty one of the run's own. Raises StepFailed.
    """
    wanted = _wanted(scene)
    if wanted is None:
        return ""
    path: str = await scene.step.run(WORKSPACE, _make, scene.step.run_id, wanted, scene.input.folder)
    return path


async def close_workspace(ended: EndedRun) -> None:
    """Of a run that has ended, however it did: removed, if its flow says so. Does nothing the second time.

    A folder that the start named is nobody's to remove. A failed run may be retried, so its workspace stays as long as
    the run does.
    """
    note = await asyncio.to_thread(places.read_note, ended.id)
    if note is not None and note.at_end == "remove" and ended.status != "failed":
        await discard(ended.id, note)


async def discard(run_id: UUID, note: Note | None) -> None:
    """Whatever is the run's own. What a working copy holds is committed to its branch first."""
    if note is not None and note.repository:
        await worktrees.remove(run_id, note)
    await asyncio.to_thread(places.forget, run_id)


def _wanted(scene: Scene) -> Workspace | None:
    if scene.flow.workspace is not None:
        return scene.flow.workspace
    has_programs = any(persona.agent == "command" for persona in scene.flow.personas.values())
    return Workspace() if scene.input.folder or has_programs else None


async def _make(run_id: UUID, wanted: Workspace, folder: str) -> str:
    if not folder:
        return await _make_own(run_id, wanted)
    path = await sync_to_async(_checked)(run_id, folder)
    # a flow that is called by another works where that one does
    if wanted.kind == "git-worktree" and places.run_of(path) is None:
        return await worktrees.add(run_id, path, wanted.at_end)
    return path


async def _make_own(run_id: UUID, wanted: Workspace) -> str:
    if wanted.kind == "git-worktree":
        raise WorkspaceRefused(
            "The flow works in a copy of a repository, and none is named", "Start it with the repository's folder."
        )
    await asyncio.to_thread(places.write_note, run_id, Note(at_end=wanted.at_end, is_ready=True))
    return str(await asyncio.to_thread(places.make_own_place, run_id))


def _checked(run_id: UUID, folder: str) -> str:
    place = place_of(run_id, folder)
    with open_place(place):
        return os.path.join(place.root, *place.parts)
