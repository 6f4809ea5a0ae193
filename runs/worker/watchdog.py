"""Keeps a cluster alive as a whole: nothing is repaired in place, because a dead process may have held a lock.

django-q2 replaces single processes. What it cannot notice stands here: a Sentinel that died or hangs, a monitor, pusher
or idle process that was killed (whoever held a queue's lock takes it along), and a queue that nobody can read.
"""

import logging
import os
import signal
import time
from typing import Any, Final

from runs import clock
from runs.conf import get_settings, serve_only
from runs.worker import tables
from runs.worker.board import Board, State, Work, make_board
from runs.worker.broker import drivers
from runs.worker.cluster import OwnCluster
from runs.worker.neighbours import Neighbours
from runs.worker.pids import is_alive

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.1
TABLES_SECONDS: Final = 1.0
START_SECONDS: Final = 15.0
HEARTBEAT_SECONDS: Final = 3.0
PICK_UP_SECONDS: Final = 3.0
RESTART_DRAIN_SECONDS: Final = 5.0
STABLE_SECONDS: Final = 10.0
LONGEST_PAUSE: Final = 5.0


def keep_cluster(queues: tuple[str, ...] = ()) -> None:
    """Run a cluster until SIGTERM or SIGINT; a second signal does not wait for the drain.

    With `queues` it takes runs of these only, whatever the settings say.
    """
    if queues:
        serve_only(queues)
    Watchdog().run()


class Watchdog:
    """The top process of `manage.py worker`."""

    def __init__(self) -> None:
        self._signals = 0
        self._board = make_board()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._told)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # else it was started to outlive its terminal
            signal.signal(signal.SIGHUP, self._told)

    def run(self) -> None:
        pause = 0.0
        self._wait_for_tables()
        log.info("Worker starts (pid %d): %d drivers, 1 process for background tasks.", os.getpid(), drivers())
        while not self._signals:
            cluster = OwnCluster(self._board)
            reason = self._guard(cluster)
            if reason is None:
                break
            log.error("The cluster is started again: %s.", reason)
            cluster.stop(RESTART_DRAIN_SECONDS, quiet_seconds=0.5, hurry=lambda: self._signals > 1)
            pause = 0.0 if clock.monotonic() - cluster.started_at > STABLE_SECONDS else min(pause + 0.5, LONGEST_PAUSE)
            self._rest(pause)
        log.info("Worker has stopped (pid %d).", os.getpid())

    def _wait_for_tables(self) -> None:
        """Before the first fork, and on no connection after it."""
        said = None
        while not self._signals and (problem := tables.problem()) is not None:
            if problem != said:
                log.error("No worker starts yet, because of the database: %s. It is tried again.", problem)
            said = problem
            self._rest(TABLES_SECONDS)

    def _told(self, number: int, frame: Any) -> None:
        # A plain counter: an Event could be locked by the very code that this handler interrupts.
        self._signals += 1

    def _guard(self, cluster: OwnCluster) -> str | None:
        """Until the cluster has to be started again, and why; None when this process was told to stop."""
        neighbours = Neighbours()
        try:
            reason = self._watch(cluster)
        finally:
            neighbours.stop()
        if reason is None:
            log.info("Worker stops: runs are handed back at their next step.")
            seconds = get_settings().drain_seconds + 5
            if not cluster.stop(seconds, quiet_seconds=3, hurry=lambda: self._signals > 1):
                log.warning("Parts of the cluster did not stop in time and were killed.")
        return reason

    def _watch(self, cluster: OwnCluster) -> str | None:
        checks = Checks(cluster)
        while not self._signals:
            if reason := checks.fault():
                return reason
            time.sleep(LOOK_SECONDS)
        return None

    def _rest(self, seconds: float) -> None:
        deadline = clock.monotonic() + seconds
        while not self._signals and clock.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)


class Checks:
    """What can be wrong with a cluster as a whole, seen from its board."""

    def __init__(self, cluster: OwnCluster) -> None:
        self._cluster = cluster
        self._board: Board = cluster.board
        self._staff: dict[str, int] = {}
        self._looked_at = clock.monotonic()
        self._fresh_at = self._looked_at

    def fault(self) -> str | None:
        """Why the cluster must be started again; None while it works."""
        now = clock.monotonic()
        if now - self._looked_at > 1:
            # This process was stopped, and the cluster perhaps with it: its heartbeat is old without fault.
            self._fresh_at = now
        self._looked_at = now
        if self._cluster.has_ended:
            return "its top process or its Sentinel has ended"
        return self._heartbeat(now) or self._replaced() or self._idle_death() or self._stuck_queue()

    def _heartbeat(self, now: float) -> str | None:
        age = self._board.seconds_since_beat
        if age is None:
            late = now - self._cluster.started_at > START_SECONDS
            return f"its Sentinel did not start within {START_SECONDS:g} s" if late else None
        if min(age, now - self._fresh_at) > HEARTBEAT_SECONDS:
            return f"its Sentinel gave no sign of life for {HEARTBEAT_SECONDS:g} s"
        return None

    def _replaced(self) -> str | None:
        for name, pid in self._board.staff.items():
            if self._staff.setdefault(name, pid) != pid or not is_alive(pid):
                return f"its {name} died"
        return None

    def _idle_death(self) -> str | None:
        if any(state is State.IDLE and not is_alive(pid) for pid, state in self._board.seated()):
            return "an idle process died and may have held the queue's lock"
        return None

    def _stuck_queue(self) -> str | None:
        waiting = self._board.not_taken(Work.TICKET, Work.TASK) > 0
        if not waiting or self._board.seconds_since_handed_out <= PICK_UP_SECONDS:
            return None
        if any(state is State.IDLE and is_alive(pid) for pid, state in self._board.seated()):
            return f"its queue held work for {PICK_UP_SECONDS:g} s while a process was idle"
        return None
