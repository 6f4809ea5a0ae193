"""Keeps the web server and the worker running below `manage.py up`, and merges what they say."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import IO

BACKOFF = (0.5, 1.0, 2.0, 5.0)
"""Seconds between a child's end and its next start; the last one repeats."""
HEALTHY_AFTER = 30.0
"""Seconds after which an end counts as the first one again."""


@dataclass
class Child:
    """One program of the tree; `stop_within` seconds are given between SIGTERM and SIGKILL."""

    name: str
    command: list[str]
    stop_within: float
    keep_open: tuple[int, ...] = ()
    failures: int = 0
    _process: subprocess.Popen[str] | None = field(default=None, repr=False)
    _started: float = 0.0
    _start_at: float = 0.0
    _reader: threading.Thread | None = field(default=None, repr=False)

    def start(self) -> None:
        # A group of its own: Ctrl-C reaches `up` alone, which then stops its children in good order.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "perdure.tied", str(os.getpid()), *self.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=self.keep_open,
            process_group=0,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._started = time.monotonic()
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=_copy_lines, args=(self.name, self._process.stdout), daemon=True)
        self._reader.start()

    def restart_if_dead(self) -> None:
        """Start it again after a pause that grows while it keeps dying."""
        if self._process is None:
            if time.monotonic() >= self._start_at:
                self.start()
        elif (code := self._process.poll()) is not None:
            self._process = None
            lived = time.monotonic() - self._started
            self.failures = 1 if lived > HEALTHY_AFTER else self.failures + 1
            pause = BACKOFF[min(self.failures, len(BACKOFF)) - 1]
            self._start_at = time.monotonic() + pause
            say(f"{self.name} ended unexpectedly ({_describe(code)}); starting it again in {pause:g} s")

    def terminate(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def wait(self, until: float) -> None:
        """Wait for the end until that monotonic time, then kill its process group."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            say(f"{self.name} did not stop in time; killing it")
            _kill_group(self._process.pid)
            self._process.wait()
        if self._reader is not None:
            self._reader.join(timeout=1)


def stop_all(children: Iterable[Child], hurry: threading.Event) -> None:
    """SIGTERM to each, wait, SIGKILL to what remains. When `hurry` is set, nothing is waited for."""
    children = list(children)
    for child in children:
        child.terminate()
    deadlines = {child.name: time.monotonic() + child.stop_within for child in children}
    pending = list(children)
    while pending and not hurry.is_set() and any(time.monotonic() < deadlines[child.name] for child in pending):
        pending = [child for child in pending if child._process is not None and child._process.poll() is None]
        hurry.wait(0.05)
    for child in children:
        child.wait(0.0 if hurry.is_set() else deadlines[child.name])


def say(line: str, name: str = "up") -> None:
    """One line of the merged log."""
    _write(f"{name:<6} | {line}\n")


def announce(line: str) -> None:
    """A line that stands by itself, without a prefix, for people and scripts that wait for it."""
    _write(f"{line}\n")


_output = threading.Lock()


def _write(text: str) -> None:
    with _output:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except (BrokenPipeError, ValueError):
            # Nobody reads any more; what is left to do is to stop in good order.
            pass


def _copy_lines(name: str, stream: IO[str]) -> None:
    with stream:
        for line in stream:
            say(line.rstrip("\n"), name)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _describe(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
