"""An event loop whose time and order come from a seed: it waits for nothing, and says whose turn it is."""

import asyncio
import contextvars
import heapq
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

TURN_SECONDS = 0.00002
"""What one callback costs. Time stands still in none of them, so that two moments can be told apart."""


class Process:
    """A process as the loop knows it: its callbacks keep their order, those of several processes do not."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ready: deque[asyncio.Handle] = deque()
        self.is_dead = False
        self.frozen_until = 0.0
        self.turns = 0
        self.commits = 0

    def may_run(self, now: float) -> bool:
        return bool(self.ready) and not self.is_dead and self.frozen_until <= now

    def __str__(self) -> str:
        return self.name


_owner: contextvars.ContextVar[Process | None] = contextvars.ContextVar("simulated_process", default=None)


def current_process() -> Process | None:
    """The process whose code runs; None for the world around them."""
    return _owner.get()


def context_of(process: Process) -> contextvars.Context:
    """An empty context in which everything belongs to `process`."""
    context = contextvars.Context()
    context.run(_owner.set, process)
    return context


class _Ready:
    """Stands where asyncio keeps the callbacks that are ready, and gives each to its process."""

    def __init__(self, world: Process) -> None:
        self._world = world

    def append(self, handle: asyncio.Handle) -> None:
        (handle._context.get(_owner) or self._world).ready.append(handle)  # type: ignore[attr-defined]

    def clear(self) -> None:
        self._world.ready.clear()


class SimulatedLoop(asyncio.BaseEventLoop):
    """`before_turn(process)` is called before each callback; it may kill or freeze the process."""

    def __init__(self, random: Random, before_turn: Callable[[Process], None]) -> None:
        super().__init__()
        self.world = Process("world")
        self.processes = [self.world]
        self._random = random
        self._before_turn = before_turn
        self._now = 0.0
        self._ready = _Ready(self.world)
        self.set_exception_handler(self._complain)
        self.complaints: list[str] = []

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        self._ring_timers()
        waiting = [process for process in self.processes if process.may_run(self._now)]
        if not waiting:
            self._now = max(self._now, self._next_moment())
            return
        process = waiting[0] if len(waiting) == 1 else self._random.choice(waiting)
        self._before_turn(process)
        if process.may_run(self._now):
            self._turn(process)

    def _turn(self, process: Process) -> None:
        self._now += TURN_SECONDS
        process.turns += 1
        handle = process.ready.popleft()
        if not handle.cancelled():
            handle._run()

    def _ring_timers(self) -> None:
        scheduled: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        while scheduled and (scheduled[0].cancelled() or scheduled[0].when() <= self._now):
            timer = heapq.heappop(scheduled)
            timer._scheduled = False  # type: ignore[attr-defined]
            self._ready.append(timer)

    def _next_moment(self) -> float:
        frozen = [one.frozen_until for one in self.processes if one.ready and not one.is_dead]
        scheduled = self._scheduled[:1]  # type: ignore[attr-defined]
        moments = [*frozen, *(timer.when() for timer in scheduled)]
        if not moments:
            raise RuntimeError("nothing is left that could happen")
        return min(moments)

    def _complain(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        process = current_process()
        if process is None or not process.is_dead:
            self.complaints.append(f"{context.get('message')}: {context.get('exception')!r}")

    def _write_to_self(self) -> None:
        """Nobody sleeps here."""

    def _process_events(self, event_list: Any) -> None:
        """There are no files."""
