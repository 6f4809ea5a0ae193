"""Where a run's own workspace lies: under the data directory, by the run's id, with a note of it beside it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from django.conf import settings
from pydantic import BaseModel, ConfigDict, ValidationError

_NOTE = ".json"


class Note(BaseModel):
    """What is known of a run's own workspace, kept outside of it: agents write inside.

    `repository` is empty for a plain folder. `base` is the commit that the working copy began with.
    """

    model_config = ConfigDict(frozen=True)

    repository: str = ""
    branch: str = ""
    base: str = ""
    at_end: str = "keep"
    is_ready: bool = False


def all_workspaces() -> Path:
    return Path(settings.DATA_DIR).resolve() / "workspaces"


def own_place(run_id: UUID) -> Path:
    """Nobody makes it by asking."""
    return all_workspaces() / str(run_id)


def make_own_place(run_id: UUID) -> Path:
    """An empty folder that only the worker's user may look into."""
    place = own_place(run_id)
    all_workspaces().mkdir(mode=0o700, parents=True, exist_ok=True)
    place.mkdir(mode=0o700, exist_ok=True)
    return place


def read_note(run_id: UUID) -> Note | None:
    try:
        return Note.model_validate_json(_note_place(run_id).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def write_note(run_id: UUID, note: Note) -> None:
    """By renaming: a crash leaves the old one or the new one."""
    all_workspaces().mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = _note_place(run_id).with_suffix(".part")
    draft.write_text(note.model_dump_json())
    os.replace(draft, _note_place(run_id))


def forget(run_id: UUID) -> None:
    """The folder and its note."""
    remove_own_place(run_id)
    _note_place(run_id).unlink(missing_ok=True)


def remove_own_place(run_id: UUID) -> None:
    """Links in it are removed, not followed."""
    place = own_place(run_id)
    if place.is_symlink():
        place.unlink()
    elif place.exists():
        shutil.rmtree(place, onerror=_once_more)


def known_runs() -> Iterator[UUID]:
    """Whose workspaces or notes are there."""
    try:
        names = {entry.name.removesuffix(_NOTE) for entry in os.scandir(all_workspaces())}
    except FileNotFoundError:
        return
    for name in sorted(names):
        with suppress(ValueError):
            found = UUID(name)
            if str(found) == name:
                yield found


def run_of(path: str) -> UUID | None:
    """Whose own workspace a path is; None for another path."""
    place = Path(path)
    if place.parent != all_workspaces():
        return None
    try:
        return UUID(place.name)
    except ValueError:
        return None


def _note_place(run_id: UUID) -> Path:
    return all_workspaces() / f"{run_id}{_NOTE}"


def _once_more(function: object, path: str, error: object) -> None:
    """A folder that an agent made unwritable is still the worker's own."""
    with suppress(OSError):
        os.chmod(os.path.dirname(path), 0o700)
        if os.path.isdir(path) and not os.path.islink(path):
            os.chmod(path, 0o700)
            shutil.rmtree(path, ignore_errors=True)
        else:
            os.unlink(path)
