"""When tasks began and ended, for queues that keep no results: lines of a file that worker processes append to."""

import os
import time
from collections.abc import Iterable
from pathlib import Path

LOOK_SECONDS = 0.05


def note(path: str, task: int, begun: float) -> None:
    """One write to a file opened for appending: lines of several processes do not mix."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, f"{task} {begun} {time.time()}\n".encode())
    finally:
        os.close(file)


def wait_for(path: str, tasks: Iterable[int], within: float = 120) -> dict[int, tuple[float, float]]:
    """By task, when it began and when it ended, as soon as all have. Raises TimeoutError."""
    wanted = set(tasks)
    deadline = time.monotonic() + within
    while not wanted <= (found := _read(path)).keys():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(wanted - found.keys())} of {len(wanted)} tasks did not end within {within:g} s")
        time.sleep(LOOK_SECONDS)
    return {task: found[task] for task in wanted}


def _read(path: str) -> dict[int, tuple[float, float]]:
    lines = Path(path).read_text().splitlines() if Path(path).exists() else []
    cut = [line.split() for line in lines]
    return {int(task): (float(begun), float(ended)) for task, begun, ended in cut}
