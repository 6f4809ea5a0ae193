"""The folders that tools may look into. Each part of a path is opened inside the one before it and no symbolic link is
followed: checking a path and opening it afterwards would leave time to put a link in its place.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from stat import S_ISREG

from flows.llm.tools.conf import get_settings
from flows.llm.tools.errors import ToolRefused

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY  # a named pipe would block
_DEEPEST = 30


@dataclass(frozen=True, slots=True)
class Place:
    """A path inside an allowed folder, in parts; `depth` of them lead to where relative paths begin."""

    root: str
    parts: tuple[str, ...]
    depth: int = 0

    @property
    def shown(self) -> str:
        return "/".join(self.parts[self.depth :]) or "."

    def below(self, *parts: str) -> "Place":
        return replace(self, parts=(*self.parts, *parts))

    @property
    def above(self) -> "Place":
        return replace(self, parts=self.parts[:-1])


_workspace: ContextVar[tuple[str, Place] | None] = ContextVar("llm_tool_workspace", default=None)


@contextmanager
def confined_to(folder: str, place: Place | None = None) -> Iterator[None]:
    """Inside, this folder is the only one that is allowed; whoever names it has seen to it that it may be.

    `place` is where it is, for one whose way from its root may be changed meanwhile.
    """
    found = place if place is not None else Place(os.path.realpath(folder), ())
    token = _workspace.set((folder, replace(found, depth=len(found.parts))))
    try:
        yield
    finally:
        _workspace.reset(token)


def allowed_folders() -> tuple[str, ...]:
    """As they are named; the first is the one that relative paths begin in."""
    return tuple(_folders())


def locate(path: str) -> Place:
    """A relative path is one of the first folder. Raises ToolRefused for one that leads outside of all."""
    folders = _folders()
    if "\0" in path or ".." in path.split("/"):
        raise ToolRefused(f"The path {path[:200]!r} holds '..' or a NUL", "Name it from the folder downwards.")
    if not os.path.isabs(path):
        return next(iter(folders.values())).below(*_parts(path))
    for name, folder in folders.items():
        for spelling in (name, os.path.join(folder.root, *folder.parts)):  # a folder may itself be named by a link
            inside = os.path.relpath(path, spelling)
            if inside != ".." and not inside.startswith("../"):
                return folder.below(*_parts(inside))
    raise ToolRefused(f"{path[:200]!r} is outside of the allowed folders", f"Use one inside {', '.join(folders)}.")


def _folders() -> dict[str, Place]:
    confined = _workspace.get()
    if confined is not None:
        return dict([confined])
    named = [os.path.expanduser(one) for one in get_settings().folders]
    return {one: Place(os.path.realpath(one), ()) for one in named}


@contextmanager
def open_folder(place: Place, *, make: bool = False) -> Iterator[int]:
    """Its file descriptor. With `make`, folders that are missing are made. Raises ToolRefused, OSError."""
    opened = os.open(place.root, _FOLDER)
    try:
        for part in place.parts:
            if make:
                _make_folder(part, opened)
            inner = _open(part, _FOLDER, opened, place)
            os.close(opened)
            opened = inner
        yield opened
    finally:
        os.close(opened)


@contextmanager
def open_file(place: Place) -> Iterator[int]:
    """The file descriptor of a plain file, to be read. Raises ToolRefused, OSError."""
    if len(place.parts) <= place.depth:
        raise ToolRefused("That is a folder", "Name a file in it.")
    with open_folder(place.above) as folder, open_in(folder, place.parts[-1]) as opened:
        yield opened


@contextmanager
def open_in(folder: int, name: str) -> Iterator[int]:
    """The same, for a file of an open folder."""
    opened = _open(name, _FILE, folder, Place("", (name,)))
    try:
        if not S_ISREG(os.fstat(opened).st_mode):
            raise ToolRefused(f"{name!r} is no plain file", "Name one that is.")
        yield opened
    finally:
        os.close(opened)


def walk(folder: int, above: str = "", depth: int = 0) -> Iterator[tuple[int, str, os.DirEntry[str]]]:
    """(its folder's descriptor, its path, the entry) of all that is inside, by name. Hidden folders are left out."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        yield folder, above + entry.name, entry
        if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".") and depth < _DEEPEST:
            try:
                inner = os.open(entry.name, _FOLDER, dir_fd=folder)
            except OSError:
                continue  # gone, swapped for a link, or not ours to read
            try:
                yield from walk(inner, f"{above}{entry.name}/", depth + 1)
            finally:
                os.close(inner)


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part not in ("", "."))


def _make_folder(name: str, inside: int) -> None:
    try:
        os.mkdir(name, dir_fd=inside)
    except FileExistsError:
        return  # or a file of that name: opening it says so


def _open(name: str, flags: int, inside: int, place: Place) -> int:
    try:
        return os.open(name, flags, dir_fd=inside)
    except OSError as exc:
        if exc.errno == errno.ENOENT:
            raise ToolRefused(f"There is no {place.shown!r}", "Look with list_files what is there.") from exc
        if exc.errno in (errno.ELOOP, errno.ENOTDIR, errno.ENXIO):
            problem = f"{name!r} in {place.shown!r} is a symbolic link, no folder, or no plain file"
            raise ToolRefused(problem, "Links are not followed; name what is really there.") from exc
        raise
