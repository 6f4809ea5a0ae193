"""Threads of a driver: pools for the code of sync jobs and steps, and the one that asks the database."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from django.db import connection, connections

from runs.engine.store.prepared import prepared_connection

P = ParamSpec("P")
T = TypeVar("T")


class CodePool(ThreadPoolExecutor):
    """Runs job code. A thread gives its database connections back after each call, so that none stays idle."""

    def __init__(self, threads: int, name: str) -> None:
        super().__init__(threads, thread_name_prefix=name)
        self._threads_in_all = threads
        self._busy = 0
        self._guard = threading.Lock()

    @property
    def free(self) -> int:
        """Threads that a call would find at once."""
        return max(self._threads_in_all - self._busy, 0)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        with self._guard:
            self._busy += 1
        try:
            future = super().submit(partial(_then_disconnect, fn, *args, **kwargs))
        except BaseException:
            self._left()
            raise
        future.add_done_callback(self._left)
        return future

    def _left(self, _: object = None) -> None:
        with self._guard:
            self._busy -= 1


def _then_disconnect(fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    try:
        return fn(*args, **kwargs)
    finally:
        connections.close_all()


class DatabaseThread:
    """One thread with one connection: the driver's claims and looks go through such ones, never its event loop."""

    def __init__(self, name: str = "runs-database") -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def call(self, fn: Callable[..., T], *args: Any) -> T:
        """`fn(*args)` in the thread. After an error the next call has a fresh connection."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, _or_disconnect, fn, *args)

    async def stop(self) -> None:
        await self.call(connections.close_all)
        self._pool.shutdown(wait=False)


def _or_disconnect(fn: Callable[..., T], *args: Any) -> T:
    try:
        return fn(*args)
    except BaseException:
        connections.close_all()
        raise


def _prepared(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    if connection.vendor == "postgresql":
        prepared_connection()
    return fn(*args, **kwargs)


class ReadPool(ThreadPoolExecutor):
    """Reads what runs need: their mail and their history. Its threads keep their connections, but after an error."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        return super().submit(_or_disconnect, partial(_prepared, fn, *args, **kwargs))

    def close(self) -> None:
        """End the threads, and with each its connection."""
        for _ in range(self._max_workers):
            super().submit(connections.close_all)
        self.shutdown(wait=False)
