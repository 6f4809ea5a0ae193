"""Lines that the steps of a program write outside of the engine and its database: one for each thing that happened."""

import functools
import os
import time
from pathlib import Path


def note(what: str, key: str, name: str, detail: object = "-") -> None:
    """Append a line: time, process, what, program, step, detail. Of a host-wide clock that stands still for nobody."""
    line = f"{time.monotonic():.6f} {os.getpid()} {what} {key} {name} {detail}\n"
    os.write(_file(os.getpid()), line.encode())


def gate_of(key: str) -> Path:
    """The file that lets a gated step pass."""
    return Path(os.environ["PERDURE_CAMPAIGN_DIR"]) / "gates" / key


@functools.cache
def _file(pid: int) -> int:
    """One append-only file for each process: a line of one is never inside another's."""
    folder = Path(os.environ["PERDURE_CAMPAIGN_DIR"]) / "notes"
    return os.open(folder / str(pid), os.O_CREAT | os.O_WRONLY | os.O_APPEND)
