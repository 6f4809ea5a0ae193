"""`python -I -S keeper.py CONTROL GRACE PROGRAM ARGUMENT...`: run a program, and end it with all that it has started.

A program of its own: a worker that is killed with SIGKILL can stop nobody, and what a program starts in a session of
its own is in no process group that could be killed. The keeper adopts whatever its program leaves behind. It ends all
of it when the program has ended, or when nobody holds the other end of the pipe CONTROL any more: the worker closes it,
or its death does. First it asks (SIGTERM) and waits for GRACE seconds. Its exit code is the program's.
"""

import contextlib
import ctypes
import os
import select
import signal
import sys
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
NOT_STARTED = 127
_UNKILLABLE_SECONDS = 10.0


class Keeper:
    def __init__(self, control: int, grace: float) -> None:
        self._control, self._grace = control, grace
        self._code: int | None = None
        self._woken, waker = os.pipe()
        for end in (self._woken, waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, _ignored)
        self._program = 0

    def run(self, argv: list[str]) -> int:
        _prctl(PR_SET_CHILD_SUBREAPER, 1)
        self._program = os.fork()
        if not self._program:
            _become(argv, os.getppid())
        _let_go_of_pipes()
        self._wait(self._ended)
        if self._code is None:
            self._ask_all_to_end()
        self._kill_all()
        return NOT_STARTED if self._code is None else self._code

    def _ended(self) -> bool:
        return self._code is not None

    def _wait(self, is_over, seconds: float | None = None) -> None:  # type: ignore[no-untyped-def]
        """Until it is over, the time is, or (without a time) the worker lets go."""
        until = None if seconds is None else time.monotonic() + seconds
        while not is_over():
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return
            ends = [self._woken] if until is not None else [self._woken, self._control]
            ready, _, _ = select.select(ends, [], [], left)
            if self._control in ready:
                return
            if self._woken in ready:
                os.read(self._woken, 4096)
            self._bury()

    def _bury(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            if pid == self._program:
                code = os.waitstatus_to_exitcode(status)
                self._code = code if code >= 0 else 128 - code

    def _ask_all_to_end(self) -> None:
        for pid in self._kept():
            _kill(pid, signal.SIGTERM)
        self._wait(lambda: not self._kept(), self._grace)

    def _kept(self) -> list[int]:
        """All that has not ended; without /proc the program's process group, while the program lives."""
        if os.path.isdir("/proc/self"):
            return _below(os.getpid())
        return [-self._program] if self._code is None else []

    def _kill_all(self) -> None:
        """Again and again: what is killed may have started others a moment before."""
        until = time.monotonic() + _UNKILLABLE_SECONDS
        while (found := self._kept()) and time.monotonic() < until:
            for pid in found:
                _kill(pid, signal.SIGKILL)
            self._bury()
            time.sleep(0.005)
        self._bury()


def _become(argv: list[str], keeper: int) -> None:
    """The program, which dies with its keeper."""
    os.setsid()
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != keeper:
        os._exit(NOT_STARTED)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execv(argv[0], argv)
    except OSError as exc:
        os.write(2, f"{argv[0]} cannot be started: {exc}\n".encode())
        os._exit(NOT_STARTED)


def _let_go_of_pipes() -> None:
    """Of the program's own: they end when it does."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for end in (0, 1, 2):
        os.dup2(nothing, end)
    os.close(nothing)


def _below(own: int) -> list[int]:
    """All that descends from this process and has not ended."""
    parents = {int(name): found for name in os.listdir("/proc") if name.isdigit() and (found := _parent_of(name))}
    return [pid for pid in parents if _descends(pid, own, parents)]


def _parent_of(pid: str) -> int | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state, parent = file.read().rpartition(b")")[2].split()[:2]
    except (OSError, ValueError):
        return None
    return None if state in (b"Z", b"X") else int(parent)


def _descends(pid: int, own: int, parents: dict[int, int]) -> bool:
    seen: set[int] = set()
    while pid in parents and pid not in seen:
        seen.add(pid)
        pid = parents[pid]
        if pid == own:
            return True
    return False


def _kill(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _prctl(option: int, value: int) -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _ignored(number: int, frame: object) -> None:
    """Only wakes: a keeper that ended at a signal would leave its program alone."""


if __name__ == "__main__":
    control = int(sys.argv[1])
    os.set_inheritable(control, False)
    sys.exit(Keeper(control, float(sys.argv[2])).run(sys.argv[3:]))
