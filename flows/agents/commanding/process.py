"""A program under way: started without a shell, talked to in lines, and ended with all that it has started."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from flows.agents.commanding.errors import CommandMisspoke

KEEPER: Final = Path(__file__).with_name("keeper.py")
MAX_LINE: Final = 8 * 1024 * 1024
"""Bytes of one line: a tool's arguments may hold a whole file."""

MAX_OUTPUT: Final = 256 * 1024 * 1024
"""Bytes that one call may write in all."""

MAX_UNREAD: Final = 32 * 1024 * 1024

GRACE_SECONDS: Final = 2.0
"""How long a program that is told to end may take before it is killed."""

_ENDING_SECONDS = 5.0
_KEEPER_SECONDS = 20.0  # a keeper that is killed leaves to itself what its program has left behind
_PIECE = 64 * 1024
_LAST_WORDS = 2000
_MASK = b"***"


class Program:
    """`secrets` are masked wherever they stand in what it says."""

    def __init__(self, secrets: Sequence[bytes] = ()) -> None:
        self._secrets = secrets
        self._said = asyncio.StreamReader()
        self._complaints = asyncio.StreamReader()
        self._transports: list[asyncio.ReadTransport] = []
        self._last = b""
        self._control: int | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None

    async def start(self, argv: Sequence[str], folder: int, environment: Mapping[str, str]) -> None:
        """`argv[0]` is an absolute path, `folder` an open one. Raises OSError."""
        controlled, self._control = os.pipe()
        ends = [controlled]
        try:
            ends += [await self._read_from(self._said), await self._read_from(self._complaints)]
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-S", str(KEEPER), str(controlled), str(GRACE_SECONDS), *argv,
                cwd=f"/proc/self/fd/{folder}", env=dict(environment), stdin=asyncio.subprocess.PIPE, stdout=ends[1],
                stderr=ends[2], pass_fds=(controlled,), start_new_session=True,
            )  # fmt: skip
        finally:
            for end in ends:
                os.close(end)
        self._listening = asyncio.create_task(self._listen())

    async def _read_from(self, reader: asyncio.StreamReader) -> int:
        """The end that the program writes to. A pipe of ours: asyncio's own cannot be closed before its other end."""
        ours, theirs = os.pipe()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb", 0)
        )
        self._transports.append(transport)
        return theirs

    def tell(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Hand it lines, without waiting until it has read them. Raises CommandMisspoke for one that reads none."""
        stdin = self._process.stdin if self._process is not None else None
        if stdin is None or stdin.is_closing():
            return
        for line in lines:
            if stdin.transport.get_write_buffer_size() > MAX_UNREAD:
                raise CommandMisspoke(f"asks again and again, and does not read {MAX_UNREAD} bytes of answers")
            stdin.write(json.dumps(line, ensure_ascii=True).encode() + b"\n")

    async def lines(self) -> AsyncIterator[bytes]:
        """What it writes, line by line, empty ones left out; ends with its output. Raises CommandMisspoke."""
        begun, total = bytearray(), 0
        while piece := await self._said.read(_PIECE):
            total += len(piece)
            begun += piece
            if total > MAX_OUTPUT:
                raise CommandMisspoke(f"wrote more than {MAX_OUTPUT} bytes")
            whole: list[bytearray] = []
            if b"\n" in piece:
                *whole, begun = begun.split(b"\n")
            for line in (*whole, begun):
                if len(line) > MAX_LINE:
                    raise CommandMisspoke(f"wrote a line of more than {MAX_LINE} bytes")
            for line in whole:
                if line.strip():
                    yield self._masked(bytes(line))

    @property
    def last_words(self) -> str:
        """The end of what it complained about."""
        text = self._masked(self._last).decode("utf-8", "replace").replace("\0", "\ufffd")
        return text.strip()[-_LAST_WORDS:]

    async def finish(self) -> None:
        """No more is told. Wait for it to end by itself, but not long."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_ENDING_SECONDS):
                await process.wait()

    async def exit_code(self) -> int:
        """Of a program whose output ended: when it has ended, or was ended for taking long over that."""
        await self.finish()
        await self.stop()
        return self._process.returncode if self._process is not None and self._process.returncode is not None else -1

    async def stop(self) -> None:
        """End it and all that it has started; once more does nothing."""
        if self._control is not None:
            os.close(self._control)  # from here on the keeper ends it, whatever becomes of this task
            self._control = None
        try:
            await self._wait_for_keeper()
        finally:
            self._close()

    async def _wait_for_keeper(self) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        try:
            async with asyncio.timeout(GRACE_SECONDS + _KEEPER_SECONDS):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    def _close(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        if self._listening is not None:
            self._listening.cancel()
        for transport in self._transports:
            transport.close()

    async def _listen(self) -> None:
        """More is kept than is told: a secret that is cut in two is recognised no more."""
        while piece := await self._complaints.read(_PIECE):
            self._last = (self._last + piece)[-_PIECE:]

    def _masked(self, text: bytes) -> bytes:
        for secret in self._secrets:
            text = text.replace(secret, _MASK)
        return text


@asynccontextmanager
async def running(
    argv: Sequence[str], folder: int, environment: Mapping[str, str], secrets: Sequence[bytes] = ()
) -> AsyncIterator[Program]:
    """The program, which has ended when this is left, with all that it has started."""
    program = Program(secrets)
    try:
        await program.start(argv, folder, environment)
        yield program
    finally:
        await program.stop()
