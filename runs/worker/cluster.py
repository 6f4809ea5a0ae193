"""One django-q2 cluster in a process group of its own, as the watchdog holds it."""

import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable

from django.db import connections
from django_q.cluster import Cluster

from runs import clock
from runs.worker.board import Board, State
from runs.worker.parents import die_with
from runs.worker.pids import is_alive

log = logging.getLogger(__name__)

POLL_SECONDS = 0.05


class OwnCluster:
    """Forked here, because the board must be shared; the forking process has no other thread and no connection."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.started_at = clock.monotonic()
        board.clear()
        connections.close_all()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            _become_cluster(parent)
        with contextlib.suppress(OSError):  # the child does the same: whoever is first
            os.setpgid(self.pid, self.pid)
        self._exit: int | None = None

    @property
    def has_ended(self) -> bool:
        if self._exit is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._exit = os.waitstatus_to_exitcode(status)
        return self._exit is not None

    def stop(self, seconds: float, quiet_seconds: float, hurry: Callable[[], bool]) -> bool:
        """Drain for at most `seconds`, then kill what is left of the group; True if it ended by itself.

        Nothing is waited for when no process has been working for `quiet_seconds`, or when `hurry()` says so.
        """
        self.board.tell_to_stop()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        deadline = clock.monotonic() + seconds
        busy_at = clock.monotonic()
        while not self.has_ended and clock.monotonic() < deadline and not hurry():
            if self._is_busy():
                busy_at = clock.monotonic()
            elif clock.monotonic() - busy_at > quiet_seconds:
                break
            time.sleep(POLL_SECONDS)
        by_itself = self.has_ended
        self._kill()
        return by_itself

    def _is_busy(self) -> bool:
        return any(state in (State.DRIVER, State.TASK) and is_alive(pid) for pid, state in self.board.seated())

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        while not self.has_ended:
            time.sleep(POLL_SECONDS)


def _become_cluster(parent: int) -> None:
    """In the child: what `manage.py qcluster` does, then end."""
    code = 1
    try:
        os.setpgid(0, 0)
        die_with(parent)
        cluster = Cluster()
        cluster.start()
        cluster.sentinel.join()
        code = cluster.sentinel.exitcode or 0
    except BaseException:
        log.exception("The cluster could not start.")
    finally:
        logging.shutdown()
        os._exit(code)
