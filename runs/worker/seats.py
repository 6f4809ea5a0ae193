"""What each process of the cluster does at the moment, written on the board by django-q2's own signals."""

import os
import signal
from multiprocessing.util import Finalize
from typing import Any

from django_q.signals import post_execute_in_worker, post_spawn, pre_execute

from runs.worker.board import Board, Work
from runs.worker.parents import Family

TICKET = "runs.worker.drive.drive"
"""The function of a driver's ticket, as packs name it."""


class Seats:
    """Gives every process that the Sentinel forks a seat. Made in the Sentinel, used in its children."""

    def __init__(self, board: Board) -> None:
        self.seat: int | None = None
        self._board = board
        self._family = Family(before=board.next_seat, born=self._born)
        post_spawn.connect(self._spawned)
        pre_execute.connect(self._begins)
        post_execute_in_worker.connect(self._ended)

    def _born(self, seat: int) -> None:
        self.seat = seat

    def _spawned(self, **_: Any) -> None:
        if self.seat is None:
            return
        self._board.sit(self.seat, os.getpid())
        # Runs when the process ends by itself, and not when it is killed: that is how the watchdog tells the two.
        Finalize(None, self._board.leave, args=(self.seat,), exitpriority=0)

    def _begins(self, task: dict[str, Any], **_: Any) -> None:
        if self.seat is None:
            return
        is_ticket = task.get("func") == TICKET
        self._board.take(self.seat, Work.TICKET if is_ticket else Work.TASK)
        if not is_ticket:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the Sentinel's means against a task past its timeout

    def _ended(self, **_: Any) -> None:
        if self.seat is not None:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            self._board.become_idle(self.seat)


_seats: Seats | None = None


def give_seats(board: Board) -> None:
    """Once in a Sentinel, before it forks."""
    global _seats
    if _seats is None:
        _seats = Seats(board)


def has_seat() -> bool:
    """True in a process that a Sentinel forked."""
    return _seats is not None and _seats.seat is not None
