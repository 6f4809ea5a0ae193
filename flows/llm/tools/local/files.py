"""Tools that read and write text files inside the allowed folders."""

import os
import secrets
from contextlib import suppress
from fnmatch import fnmatch
from itertools import islice
from stat import S_IMODE, S_ISREG
from typing import Annotated

from pydantic import Field

from flows.llm.tools.definition import tool
from flows.llm.tools.errors import ToolRefused
from flows.llm.tools.local.folders import locate, open_file, open_folder, open_in, walk
from runs.jobs import current_attempt

MAX_FILE = 5 * 1024 * 1024
MAX_ENTRIES = 1000
MAX_FOUND = 200
MAX_LINE = 300
MAX_LOOKED_AT = 100_000

Line = Annotated[int, Field(ge=1)]


@tool
def read_file(path: str, first_line: Line = 1, lines: Annotated[int, Field(ge=1, le=10_000)] = 2000) -> str:
    """Read a text file.

    Args:
        path: The file, from the working folder downwards or absolute.
        first_line: Where to begin.
        lines: How many lines at most.
    """
    with open_file(locate(path)) as opened:
        found = _text(opened).splitlines(keepends=True)
    shown = found[first_line - 1 : first_line - 1 + lines]
    left = len(found) - (first_line - 1) - len(shown)
    return "".join(shown) + (f"\n[{left} more lines, {len(found)} in all]" if left > 0 else "")


@tool
def list_files(path: str = ".", pattern: str = "*") -> str:
    """List files and folders, and what is in them. Hidden folders are not looked into.

    Args:
        path: The folder to look into.
        pattern: Names to list, as in *.py.
    """
    with open_folder(locate(path)) as folder:
        inside = ((name, entry) for _, name, entry in islice(walk(folder), MAX_LOOKED_AT) if _goes_on())
        fitting = (
            f"{name}/" if entry.is_dir(follow_symlinks=False) else name
            for name, entry in inside if fnmatch(entry.name, pattern)
        )  # fmt: skip
        found = list(islice(fitting, MAX_ENTRIES + 1))
    return _lines(found, MAX_ENTRIES, "Look into one folder, or for a closer pattern.")


@tool
def search_files(
    text: Annotated[str, Field(min_length=1)], path: str = ".", pattern: str = "*", ignore_case: bool = False
) -> str:
    """Find the lines of text files that contain a text (no regular expression), as path:line: text.

    Args:
        text: What to find.
        path: The folder to look into.
        pattern: Names of files to look into, as in *.py.
        ignore_case: Whether capitals do not matter.
    """
    wanted = text.casefold() if ignore_case else text
    found: list[str] = []
    with open_folder(locate(path)) as folder:
        for inside, name, entry in islice(walk(folder), MAX_LOOKED_AT):
            if len(found) > MAX_FOUND or not _goes_on():
                break
            if fnmatch(entry.name, pattern) and entry.is_file(follow_symlinks=False):
                found += _found_in(inside, name, entry.name, wanted, ignore_case)
    return _lines(found, MAX_FOUND, "Look for a longer text, or into one folder.")


@tool(needs_approval=True)
def write_file(path: str, content: str) -> str:
    """Write a text file, in place of one that is there.

    Args:
        path: The file, from the working folder downwards or absolute. Missing folders are made.
        content: All of its text.
    """
    place, data = locate(path), content.encode()
    if len(place.parts) <= place.depth:
        raise ToolRefused("That is a folder", "Name a file in it.")
    if any(part.casefold() == ".git" for part in place.parts):  # its configuration and hooks name programs to run
        raise ToolRefused("Nothing is written into .git", "Leave what git keeps to git.")
    with open_folder(place.above, make=True) as folder:
        _replace(folder, place.parts[-1], data)
    return f"Wrote {len(data)} bytes to {place.shown}."


@tool(needs_approval=True)
def edit_file(path: str, find: Annotated[str, Field(min_length=1)], replace: str) -> str:
    """Change one place of a text file, and leave the rest of it as it is.

    Args:
        path: The file, from the working folder downwards or absolute.
        find: The text to replace, copied from the file character by character, long enough to be in it once.
        replace: What stands there instead.
    """
    place = locate(path)
    with open_file(place) as opened:
        text = _text(opened)
    if "\ufffd" in text:  # what is no UTF-8 would be written back as that
        raise ToolRefused("The file is no text in UTF-8", "Leave it, or write all of it.")
    count = text.count(find)
    if count == 0 and replace and text.count(replace) == 1:
        return f"{place.shown} is so already."  # by a call whose worker died before it was recorded
    if count != 1:
        raise ToolRefused(f"What to find is in {place.shown} {count} times", "Read the file, and copy more of it.")
    return str(write_file.function(path, text.replace(find, replace, 1)))


FILE_TOOLS = (read_file, list_files, search_files, write_file, edit_file)


def _goes_on() -> bool:
    try:
        return not current_attempt().cancelled
    except LookupError:
        return True  # called by other code than a step


def _text(opened: int) -> str:
    """Raises ToolRefused for a file that is too large or no text."""
    size = os.fstat(opened).st_size
    if size > MAX_FILE:
        raise ToolRefused(f"The file has {size} bytes, more than {MAX_FILE}", "Search it, or read another.")
    with os.fdopen(os.dup(opened), "rb") as file:
        data = file.read(MAX_FILE)
    if b"\0" in data:
        raise ToolRefused("The file is no text", "Read one that is.")
    return data.decode("utf-8", "replace")


def _found_in(folder: int, path: str, name: str, wanted: str, ignore_case: bool) -> list[str]:
    try:
        with open_in(folder, name) as opened:
            lines = _text(opened).splitlines()
    except (ToolRefused, OSError):
        return []  # no text, too large, or not ours to read
    fitting = (
        f"{path}:{number}: {line.strip()[:MAX_LINE]}"
        for number, line in enumerate(lines, 1) if wanted in (line.casefold() if ignore_case else line)
    )  # fmt: skip
    return list(islice(fitting, MAX_FOUND + 1))


def _lines(found: list[str], limit: int, remedy: str) -> str:
    if not found:
        return "[nothing found]"
    return "\n".join(found[:limit]) + (f"\n[more than {limit}. {remedy}]" if len(found) > limit else "")


def _replace(folder: int, name: str, data: bytes) -> None:
    """By renaming: nobody reads half of it, and a link that is put there meanwhile is replaced, not followed."""
    mode = _mode_of(folder, name)
    draft = f".{secrets.token_hex(8)}.part"
    opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666, dir_fd=folder)
    try:
        with os.fdopen(opened, "wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(data)
        os.replace(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(draft, dir_fd=folder)
        raise


def _mode_of(folder: int, name: str) -> int | None:
    """The permissions of the file that is there; None where there is none."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not S_ISREG(found.st_mode):
        raise ToolRefused(f"{name!r} is no plain file", "Name a file, or one that is not there yet.")
    return S_IMODE(found.st_mode) & 0o777
