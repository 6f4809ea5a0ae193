"""What a driver's ticket calls inside a django-q2 worker process."""

import asyncio
import gc
import logging
import os
import sys
from typing import Final

from django.db import connections

from runs.worker.board import Board, get_board
from runs.worker.driver import DEAD_EXIT_CODE, Driver
from runs.worker.pids import is_alive

log = logging.getLogger(__name__)

COLLECT_AFTER: Final = 10_000
"""New containers before the youngest are searched for cycles. Each run makes some hundred, most of them freed without
a search; Python's 700 made the collector the largest consumer of a driver's time."""


def drive(slot: int) -> None:
    """Drive runs in this process until the cluster stops, then end the process.

    Returns only when the slot has a driver already. It does not go back to django-q2's loop: threads of job code that
    does not end would keep the process there, and nothing of the queue is held here.
    """
    board = get_board()
    if board is None:
        log.error("A driver's ticket was met outside a cluster. Start runs' workers with `manage.py worker`.")
        return
    if board.stopping or is_alive(board.slot_pid(slot)):
        return
    board.take_slot(slot, os.getpid())
    code = _drive(slot, board)
    board.free_slot(slot, os.getpid())
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)


def _drive(slot: int, board: Board) -> int:
    connections.close_all()
    _spare_the_collector()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(_in_loop(slot, board))
    except BaseException:
        log.exception("Driver %d failed. Its runs are taken by the next one.", slot)
        return DEAD_EXIT_CODE
    return 0


def _spare_the_collector() -> None:
    """All that was imported stays to the end: no search for garbage needs to pass through it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


async def _in_loop(slot: int, board: Board) -> None:
    ending = await Driver(slot, board).drive()
    log.info("Driver %d has stopped: %s.", slot, ending.value)
