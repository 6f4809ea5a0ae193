"""A real driver in the process of the test, for what can only be seen from inside."""

import asyncio
import os
from collections.abc import Awaitable, Callable

from runs.worker.board import Board
from runs.worker.driver import Driver, Ending


def drive_here(meanwhile: Callable[[], Awaitable[None]]) -> Ending:
    """Drive until `meanwhile()` returns, or the driver ends by itself; why it ended."""
    return asyncio.run(_drive(meanwhile))


async def _drive(meanwhile: Callable[[], Awaitable[None]]) -> Ending:
    board = Board()
    board.take_slot(0, os.getpid())
    driver = Driver(0, board)

    async def stop() -> None:
        await meanwhile()
        board.tell_to_stop()

    stopping = asyncio.create_task(stop())
    try:
        return await driver.drive()
    finally:
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
