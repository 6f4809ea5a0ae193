"""Which processes belong to a tree: found by the data directory in their environment, so re-parented ones too."""

import os
import signal
import time
from pathlib import Path


def pids_with_environment(name: str, value: str) -> list[int]:
    """The processes that were started with NAME=VALUE, this one left out. Zombies do not count."""
    wanted = f"{name}={value}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0") and _is_alive(entry):
                found.append(int(entry.name))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return sorted(found)


def _is_alive(entry: Path) -> bool:
    return (entry / "stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"


def command_line(pid: int) -> str:
    """The command of a process, arguments separated by blanks; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def parent_of(pid: int) -> int:
    """The parent's pid; 0 when the process is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def children_of(pid: int) -> list[int]:
    """The living children of a process, oldest first."""
    found = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return sorted(child for child in found if parent_of(child) == pid and _lives(child))


def _lives(pid: int) -> bool:
    try:
        return _is_alive(Path(f"/proc/{pid}"))
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(name: str, value: str, seconds: float) -> list[int]:
    """Wait for the tree's end; the pids that are left after that many seconds."""
    deadline = time.monotonic() + seconds
    while (left := pids_with_environment(name, value)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def kill_all(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
