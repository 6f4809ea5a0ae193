"""Functions for ordinary background tasks and schedules of django-q2."""

import os
import time


def leave_pid(path: str) -> int:
    """Append this process's pid to the file."""
    with open(path, "a") as file:
        file.write(f"{os.getpid()}\n")
    return os.getpid()


def sleep_then_leave_pid(path: str, seconds: float) -> int:
    """Say that it began, work, say that it ended."""
    leave_pid(path)
    time.sleep(seconds)
    return leave_pid(path)
