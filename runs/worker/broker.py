"""The django-q2 broker: keeps the cluster's processes filled with drivers of runs and hands out ordinary tasks.

Runs are not looked for here; drivers claim them. The methods are called in different processes: `ping` and `set_stat`
in the Sentinel, `dequeue` and `fail` in the pusher, `acknowledge` in the monitor, `enqueue` in whoever starts a task.
"""

import logging
import multiprocessing
import os
import signal
import time
from typing import Any
from uuid import uuid4

from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone
from django_q.brokers import Broker
from django_q.conf import Conf
from django_q.signing import SignedPackage

from runs import clock
from runs.engine.outages import describe
from runs.worker import packs
from runs.worker.board import SLOTS, Board, State, Work, get_board, make_board
from runs.worker.parents import die_with
from runs.worker.patience import patience
from runs.worker.pids import is_alive
from runs.worker.seats import TICKET, give_seats, has_seat

log = logging.getLogger(__name__)

REFILL_SECONDS = 2.0
"""A ticket that was handed out gets this long before its slot counts as empty again."""

HOLD_ON_SECONDS = 15.0


class RunsBroker(Broker):  # type: ignore[misc]
    """One process of the cluster is left to ordinary tasks, one at a time; all others become drivers."""

    def __init__(self, list_key: str | None = None) -> None:
        super().__init__(list_key)
        self.list_key: str = self.list_key or Conf.CLUSTER_NAME
        self._pusher = 0
        self._held: int | None = None
        self._held_on_at = 0.0
        self._failing = False

    # --------------------------------------------------------------------------------------------- in the Sentinel
    def ping(self) -> bool:
        """Called once by a Sentinel, before it forks: makes the board and ties the family together."""
        parent = multiprocessing.parent_process()
        if parent is not None and parent.pid is not None and not has_seat():
            board = make_board()
            board.clear()
            board.beat(os.getpid(), 0, 0)
            give_seats(board)
            # a SIGTERM to the whole group must not kill the Sentinel: its death would end drivers that still drain
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            die_with(parent.pid)
        return True

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """The Sentinel's heartbeat, every half second and first thing when it stops.

        Kept on the board only: a cache that hangs would stop the guard loop, and one in the database would write there
        twice a second.
        """
        board = get_board()
        if board is None:
            return
        stat = SignedPackage.loads(value)
        if stat.status == Conf.STOPPING:
            board.tell_to_stop()
        board.beat(stat.sentinel, stat.monitor, stat.pusher)

    def get_stat(self, key: str) -> None:
        """None: what a cluster does is told by its rows of workers."""
        return None

    def get_stats(self, pattern: str) -> list[Any]:
        """Empty, as `get_stat`."""
        return []

    # ----------------------------------------------------------------------------------------------- in the pusher
    def dequeue(self) -> list[tuple[int | None, str]] | None:
        """Tickets for slots without a driver, else one ordinary pack, else None after 0.1 s. Never raises."""
        board = get_board()
        if board is None or board.stopping:
            time.sleep(0.1)
            return None
        self._arrive(board)
        if tickets := self._tickets(board):
            return tickets
        try:
            with patience():  # a pusher that ends is noticed by the watchdog, one that hangs is not
                pack = self._ordinary(board)
        except (DatabaseError, InterfaceError) as exc:
            self._rest_from(board, exc)
            return None
        if pack is None:
            _wait_for_room(board)
            return None
        return [pack]

    def fail(self, task_id: int | None) -> None:
        """A pack that cannot be read: it would be as unreadable next time."""
        self.delete(task_id)
        board = get_board()
        if board is not None:
            board.forget_untaken()

    def _arrive(self, board: Board) -> None:
        """A new pusher does not know what the one before had put into the queue."""
        if self._pusher != os.getpid():
            self._pusher = os.getpid()
            board.forget_untaken()

    def _tickets(self, board: Board) -> list[tuple[int | None, str]]:
        tickets: list[tuple[int | None, str]] = []
        for slot in range(drivers()):
            if not is_alive(board.slot_pid(slot)) and board.seconds_since_handed(slot) > REFILL_SECONDS:
                board.hand_out_slot(slot)
                tickets.append((None, _ticket(slot)))
        return tickets

    def _ordinary(self, board: Board) -> tuple[int, str] | None:
        if _is_busy(board):
            self._hold_on()
            return None
        self._held = None
        pack = packs.take(self.list_key)
        if pack is not None:
            self._held, self._held_on_at = pack[0], clock.monotonic()
            board.count_handed(Work.TASK)
        self._failing = False
        return pack

    def _hold_on(self) -> None:
        if self._held is not None and clock.monotonic() - self._held_on_at > HOLD_ON_SECONDS:
            packs.hold_on(self.list_key, self._held)
            self._held_on_at = clock.monotonic()

    def _rest_from(self, board: Board, exc: Exception) -> None:
        """The database does not answer: drivers must be kept all the same, so say it once and go on."""
        if not self._failing:
            log.error("Background tasks wait, because of the database: %s. It is tried again.", describe(exc))
        self._failing = True
        connections.close_all()
        deadline = clock.monotonic() + 1
        while clock.monotonic() < deadline and not board.stopping:
            time.sleep(0.05)

    # ---------------------------------------------------------------------------------------------- ordinary packs
    def enqueue(self, task: str) -> int:
        return packs.put(self.list_key, task)

    def acknowledge(self, task_id: int) -> None:
        self.delete(task_id)

    def delete(self, task_id: int | None) -> None:
        if task_id is not None:
            packs.packs(self.list_key).filter(pk=task_id).delete()

    def queue_size(self) -> int:
        return packs.waiting(self.list_key)

    def lock_size(self) -> int:
        return packs.held(self.list_key)

    def purge_queue(self) -> int:
        """Forgets all packs; returns how many."""
        return int(packs.packs(self.list_key).delete()[0])

    def delete_queue(self) -> int:
        return self.purge_queue()

    def info(self) -> str:
        return f"runs on {Conf.ORM or 'default'}"

    @staticmethod
    def get_cache() -> Any:
        return Broker.get_cache()

    @staticmethod
    def get_connection(list_key: str | None = None) -> None:
        """None: every process uses Django's own connection, opened when it is needed and not before a fork."""
        return None


def drivers() -> int:
    """How many of the cluster's processes drive runs."""
    return min(max(int(Conf.WORKERS) - 1, 1), SLOTS)


def _ticket(slot: int) -> str:
    """A pack without timeout, result or acknowledgement: never redelivered, timed or stored."""
    name = f"driver-{slot}"
    pack: str = SignedPackage.dumps(
        {
            "id": uuid4().hex, "name": name, "func": TICKET, "args": (slot,), "kwargs": {}, "started": timezone.now(),
            "timeout": -1, "save": False,
        }
    )  # fmt: skip
    return pack


def _is_busy(board: Board) -> bool:
    """One ordinary task is in the queue or runs. With two, a dead driver's slot could wait for the end of a task."""
    if board.not_taken(Work.TASK) > 0:
        return True
    return any(state is State.TASK and is_alive(pid) for pid, state in board.seated())


def _wait_for_room(board: Board) -> None:
    deadline = clock.monotonic() + 0.1
    was_busy = _is_busy(board)
    while clock.monotonic() < deadline:
        time.sleep(0.01)
        if was_busy and not _is_busy(board):
            return
