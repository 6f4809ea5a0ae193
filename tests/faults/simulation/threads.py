"""The threads of a simulated process: what they do happens at one moment, at some moments after it was asked for."""

import asyncio
import concurrent.futures
from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

from tests.faults.simulation.died import Died
from tests.faults.simulation.loop import Process, SimulatedLoop, context_of

T = TypeVar("T")
Guard = Callable[[Callable[..., Any], tuple[Any, ...]], Any]


class Threads:
    """In place of a ThreadPoolExecutor. `guard(fn, args)` makes the call, or what a fault makes of it."""

    free = 32

    def __init__(self, loop: SimulatedLoop, process: Process, random: Random, guard: Guard) -> None:
        self._loop, self._process, self._random, self._guard = loop, process, random, guard

    def submit(self, fn: Callable[..., T], /, *args: Any) -> "concurrent.futures.Future[T]":
        future: concurrent.futures.Future[T] = concurrent.futures.Future()
        self._later(self._call, future, fn, args)
        return future

    def _later(self, function: Callable[..., None], *args: Any) -> None:
        self._loop.call_later(self.latency(), function, *args, context=context_of(self._process))

    def latency(self) -> float:
        """Seconds until a thread has its turn: mostly none, now and then longer than a quick step may take."""
        return self._random.choice((0.0, 0.0002, 0.001, 0.003, 0.02))

    def _call(self, future: "concurrent.futures.Future[Any]", fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            result = self._guard(fn, args)
        except Died:
            return
        except BaseException as exc:
            self._later(future.set_exception, exc)
        else:
            self._later(future.set_result, result)


class Database:
    """In place of a DatabaseThread: one call at a time."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._turn = asyncio.Lock()

    async def call(self, fn: Callable[..., T], *args: Any) -> T:
        async with self._turn:
            return await asyncio.wrap_future(self._threads.submit(fn, *args))
