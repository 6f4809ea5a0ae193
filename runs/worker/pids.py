"""Whether a process lives, told apart from a later one with the same number."""

import os
from pathlib import Path


def start_time(pid: int) -> str:
    """When the process started, in clock ticks since boot; "" where that cannot be read."""
    fields = _stat(pid)
    return fields[19] if fields else ""


def is_alive(pid: int, started: str = "") -> bool:
    """True if `pid` runs, and is the one that started at `started` if that is given. A zombie is dead."""
    if pid <= 0:
        return False
    if not Path("/proc/self/stat").exists():
        return _answers(pid)
    fields = _stat(pid)
    return bool(fields) and fields[0] not in "ZX" and (not started or fields[19] == started)


def _stat(pid: int) -> list[str]:
    """Fields of /proc/<pid>/stat from the state on: the name before it may hold spaces and brackets."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text[text.rindex(")") + 2 :].split()


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
