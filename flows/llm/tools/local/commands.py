"""A tool that runs allowed programs: without a shell, without the worker's environment, with an end."""

import asyncio
import os
import shlex
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from flows.llm.tools.conf import get_settings
from flows.llm.tools.definition import tool
from flows.llm.tools.errors import ToolRefused
from flows.llm.tools.local.folders import allowed_folders, locate, open_folder

MAX_OUTPUT = 1024 * 1024
"""Bytes that are kept; a program that writes more goes on, and the rest is dropped."""


@tool(needs_approval=True)
async def run_command(command: Annotated[list[str], Field(min_length=1, max_length=200)], folder: str = ".") -> str:
    """Run a program and read what it writes, and its exit code. There is no shell: no pipes, no wildcards.

    Args:
        command: The program and its arguments, one by one.
        folder: Where to run it.
    """
    ran = await run_program(command, folder, get_settings().seconds)
    return f"{ran.output}\n{ran.end}"


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program wrote, and its exit code; None for one that was stopped after `seconds`."""

    output: str
    code: int | None
    seconds: float

    @property
    def end(self) -> str:
        return f"[stopped after {self.seconds:g} s]" if self.code is None else f"[exit code {self.code}]"


async def run_program(command: Sequence[str], folder: str, seconds: float) -> Ran:
    """Run an allowed program as `run_command` does. Raises ToolRefused."""
    program = _allowed(list(command))
    with _working_folder(folder) as place:
        return await run_without_shell([program, *command[1:]], place, seconds, _environment())


def allowed_commands() -> list[list[str]]:
    """Each as its words."""
    return [shlex.split(one) for one in get_settings().commands]


def search_path() -> str:
    """Where programs are looked for: the worker's PATH."""
    return os.environ.get("PATH", os.defpath)


def find_program(name: str) -> str | None:
    """Its absolute path: a relative one would be another program in each folder."""
    found = None if "/" in name and not os.path.isabs(name) else shutil.which(name, path=search_path())
    return found if found is not None and os.path.isabs(found) else None


def _allowed(command: list[str]) -> str:
    """The program's path. Raises ToolRefused."""
    allowed = allowed_commands()
    if any("\0" in word for word in command) or not any(command[: len(words)] == words for words in allowed):
        known = "; ".join(shlex.join(words) for words in allowed)
        raise ToolRefused(f"{shlex.join(command)[:300]!r} is not allowed", f"What is allowed begins with: {known}.")
    program = find_program(command[0])
    if program is None:
        raise ToolRefused(f"There is no program {command[0]!r} here", "Use another one.")
    return program


@contextmanager
def _working_folder(folder: str) -> Iterator[str]:
    """By its descriptor: a link that is put into its path meanwhile leads nowhere. Without allowed folders, an empty
    one of its own."""
    if allowed_folders():
        with open_folder(locate(folder)) as opened:
            yield f"/proc/self/fd/{opened}"
        return
    if folder != ".":
        raise ToolRefused("No folder is allowed", "Leave the folder out.")
    with tempfile.TemporaryDirectory(prefix="perdure-command-", ignore_cleanup_errors=True) as made:
        yield made


async def run_without_shell(
    argv: Sequence[str], folder: str, seconds: float, environment: Mapping[str, str], *, with_errors: bool = True
) -> Ran:
    """Whatever it has started is ended too, also when this is cancelled. `argv[0]` is an absolute path. Raises OSError
    where it cannot be started."""
    output = _Output()
    process = await output.start(argv, folder, environment, with_errors)
    code: int | None = None
    try:
        async with asyncio.timeout(seconds):
            _, code = await asyncio.gather(output.read(), process.wait())
    except TimeoutError:
        pass  # what it wrote until then is told too
    finally:
        # also what it has started and left behind, however it ended
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        output.close()
    return Ran(output.text, code, seconds)


class _Output:
    """What a program writes. A pipe of ours: asyncio's own would stay open while a grandchild holds its other end."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._dropped = 0
        self._reader = asyncio.StreamReader()
        self._transport: asyncio.ReadTransport | None = None

    async def start(
        self, argv: Sequence[str], folder: str, environment: Mapping[str, str], with_errors: bool
    ) -> asyncio.subprocess.Process:
        ours, theirs = os.pipe()
        try:
            self._transport, _ = await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(self._reader), os.fdopen(ours, "rb", 0)
            )
            return await asyncio.create_subprocess_exec(
                *argv, cwd=folder, env=dict(environment), stdin=asyncio.subprocess.DEVNULL, stdout=theirs,
                stderr=theirs if with_errors else asyncio.subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        except BaseException:
            self.close()
            raise
        finally:
            os.close(theirs)

    async def read(self) -> None:
        while piece := await self._reader.read(65536):
            kept = piece[: MAX_OUTPUT - len(self._kept)]
            self._kept += kept
            self._dropped += len(piece) - len(kept)

    @property
    def text(self) -> str:
        note = f"\n[{self._dropped} more bytes are left out]" if self._dropped else ""
        return self._kept.decode("utf-8", "replace") + note

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _environment() -> dict[str, str]:
    """Nothing of the worker's own: its secrets are there."""
    return {"PATH": search_path(), "LANG": "C.UTF-8", "HOME": "/nonexistent"}
