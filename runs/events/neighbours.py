"""SQLite: rings from process to process of one host, by datagrams to sockets in a directory beside the database.

The file's own change counter says that something changed, but neither what nor at once. A ring that is lost, because a
buffer was full or a directory cannot be made, costs no more than that: the counter is still looked at.
"""

import asyncio
import contextlib
import itertools
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

_IDS_PER_DATAGRAM = 1_000
_numbers = itertools.count()


def ring_neighbours(database: str, told: list[str]) -> None:
    """Tell every process that listens beside this database file. Never raises nor waits."""
    with contextlib.suppress(OSError), _opened(_directory(database)) as directory:
        for name in os.listdir(directory):
            for first in range(0, len(told), _IDS_PER_DATAGRAM):
                _tell(directory, name, ",".join(told[first : first + _IDS_PER_DATAGRAM]).encode())


@contextlib.contextmanager
def heard_neighbours(database: str, hear: Callable[[str], None]) -> Iterator[None]:
    """Inside, `hear(ids)` is called in the running loop at each ring: hexadecimal, separated by commas."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            _listen(stack, _directory(database), hear)
        yield


def _listen(stack: contextlib.ExitStack, place: Path, hear: Callable[[str], None]) -> None:
    place.mkdir(mode=0o700, exist_ok=True)
    loop, name = asyncio.get_running_loop(), f"{os.getpid()}-{next(_numbers)}"
    with _opened(place) as directory:
        own = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        own.setblocking(False)
        own.bind(_address(directory, name))
    stack.callback((place / name).unlink, missing_ok=True)
    loop.add_reader(own, _read, own, hear)
    stack.callback(loop.remove_reader, own)


def _read(own: socket.socket, hear: Callable[[str], None]) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            hear(own.recv(_IDS_PER_DATAGRAM * 34).decode())


def _tell(directory: int, name: str, ids: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.setblocking(False)
        try:
            link.sendto(ids, _address(directory, name))
        except ConnectionRefusedError:  # whoever listened there was killed
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=directory)
        except OSError:
            return


def _directory(database: str) -> Path:
    return Path(f"{database}-bells")


@contextlib.contextmanager
def _opened(directory: Path) -> Iterator[int]:
    found = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield found
    finally:
        os.close(found)


def _address(directory: int, name: str) -> str:
    """A socket's address holds 107 bytes, a data directory's path may be longer."""
    return f"/proc/self/fd/{directory}/{name}"
