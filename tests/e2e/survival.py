"""What the tests of crashes share: the job file's lines, free ports, the processes of a cluster."""

import os
import re
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from tests.servers import processes
from tests.servers.installation import Installation

APP = "tests.e2e.survival_app"
T = TypeVar("T")


class Call(NamedTuple):
    """A call of a step's function, as it told itself."""

    step: str
    pid: int


def read_calls(file: Path) -> list[Call]:
    """The calls so far, oldest first."""
    if not file.exists():
        return []
    return [Call(name, int(pid)) for name, pid in (line.split() for line in file.read_text().splitlines())]


def wait_for(look: Callable[[], T | None], within: float, what: str) -> T:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError(f"no {what} within {within:g} s")


def wait_for_calls(file: Path, step: str, count: int = 1, within: float = 60) -> Call:
    """The call number `count` of that step, as soon as it is there."""

    def look() -> Call | None:
        calls = [call for call in read_calls(file) if call.step == step]
        return calls[count - 1] if len(calls) >= count else None

    return wait_for(look, within, f"call {count} of {step}")


def assert_called_once_but(file: Path, steps: int, killed: int) -> None:
    """Every step was called exactly once, the killed one at most twice."""
    counts = Counter(call.step for call in read_calls(file))
    assert 1 <= counts.pop(f"step-{killed}") <= 2
    assert counts == {f"step-{n}": 1 for n in range(1, steps + 1) if n != killed}


def assert_numbered_without_gaps(events: list[dict[str, object]], last_sequence: int) -> None:
    assert [event["sequence"] for event in events] == list(range(1, last_sequence + 1))


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Cluster(NamedTuple):
    """The processes of a django-q2 cluster that has just started, by kind."""

    sentinel: int
    drivers: list[int]
    idle: list[int]
    monitor: int
    pusher: int


def find_cluster(server: Installation) -> Cluster:
    """A Sentinel forks its workers first, then the monitor, then the pusher. The drivers tell of themselves."""
    drivers = wait_for(lambda: living_drivers(server), 60, "living driver")
    sentinel = processes.parent_of(drivers[0])
    *workers, monitor, pusher = processes.children_of(sentinel)
    return Cluster(sentinel, drivers, sorted(set(workers) - set(drivers)), monitor, pusher)


def living_drivers(server: Installation) -> list[int]:
    return sorted(pid for pid in driver_pids(server) if processes.parent_of(pid))


def driver_pids(server: Installation) -> list[int]:
    """The processes with a lease row that has not expired."""
    code = "from runs.models import Worker; from runs.clock import now; " + (
        "print('pids', *Worker.objects.filter(expires_at__gt=now()).values_list('pid', flat=True))"
    )
    found = re.search(r"^pids(.*)$", server.manage("shell", "-v0", "-c", code).stdout, re.MULTILINE)
    assert found is not None
    return [int(pid) for pid in found.group(1).split()]


def kill(pid: int) -> float:
    """SIGKILL; the time of it."""
    os.kill(pid, signal.SIGKILL)
    return time.monotonic()
