"""`python -m tests.faults.campaign.proxy SOCKET DOORS`: TCP doors to PostgreSQL's socket that can be cut or go deaf.

Prints the doors' ports as JSON, then obeys lines of its input: `cut N`, `deafen N`, `lose N`, `heal N`.
"""

import asyncio
import json
import subprocess
import sys
from contextlib import suppress

SIZE = 65536
SERVER_NOTICES_SECONDS = 10


class Door:
    """One listening port. Deaf: connections stay open and nothing passes. Lost ones stay deaf for ever."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._open = asyncio.Event()
        self._open.set()
        self._links: set[Link] = set()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(self._open, writer)
        self._links.add(link)
        try:
            await self._open.wait()
            inner_reader, inner_writer = await asyncio.open_unix_connection(self._target)
            link.writers.append(inner_writer)
            await asyncio.gather(link.pump(reader, inner_writer), link.pump(inner_reader, writer))
        except (OSError, ConnectionError):
            pass
        finally:
            if not link.is_lost:
                self._links.discard(link)
            link.close()

    def cut(self) -> None:
        for link in list(self._links):
            link.close()

    def deafen(self) -> None:
        self._open.clear()

    def lose(self) -> None:
        """The connections of now are forgotten on the way; new ones pass. The server notices after a while."""
        for link in self._links:
            link.lose()

    def heal(self) -> None:
        self._open.set()


class Link:
    """A client's connection and the server's."""

    def __init__(self, gate: asyncio.Event, writer: asyncio.StreamWriter) -> None:
        self.gate = gate
        self.writers = [writer]
        self.is_lost = False

    def lose(self) -> None:
        self.gate, self.is_lost = asyncio.Event(), True
        asyncio.get_running_loop().call_later(SERVER_NOTICES_SECONDS, self.close)

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(SIZE):
                await self.gate.wait()
                writer.write(data)
                await writer.drain()
        except (OSError, ConnectionError):
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Both ends; of a lost one the server's only: the client is told nothing."""
        for writer in self.writers[1:] if self.is_lost else self.writers:
            if not writer.transport.is_closing():
                writer.transport.abort()


async def serve(target: str, count: int) -> None:
    doors = [Door(target) for _ in range(count)]
    servers = [await asyncio.start_server(door.accept, "127.0.0.1", 0) for door in doors]
    sys.stdout.write(json.dumps([server.sockets[0].getsockname()[1] for server in servers]) + "\n")
    sys.stdout.flush()
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        name, number = line.decode().split()
        getattr(doors[int(number)], name)()


class Proxy:
    """The proxy in a process of its own, as the campaign holds it."""

    def __init__(self, socket_path: str, doors: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.campaign.proxy", socket_path, str(doors)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.ports: list[int] = json.loads(self._process.stdout.readline())

    def tell(self, command: str, door: int) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command} {door}\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
