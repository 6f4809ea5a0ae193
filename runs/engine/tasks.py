"""The asyncio tasks and timers of one execution: all of them end with it."""

import asyncio
import contextvars
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any

from runs.engine.branches import Branch, enter

logger = logging.getLogger("runs.engine")


class RunTasks(ABC):
    """All methods are called in the driving loop."""

    sealed: bool
    _loop: asyncio.AbstractEventLoop
    _context: contextvars.Context

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    @abstractmethod
    def broken(self, error: BaseException) -> None:
        """A task of the engine's own failed."""

    def call_later(self, seconds: float, function: Callable[..., object], *args: Any) -> asyncio.TimerHandle:
        """A timer outside every branch; it does nothing once the run has left this process."""
        return self._loop.call_later(seconds, self._fire, function, args, context=self._context)

    def _fire(self, function: Callable[..., object], args: tuple[Any, ...]) -> None:
        if not self.sealed:
            function(*args)

    def in_background(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """A task of the engine's own, outside every branch."""
        task = asyncio.Task(work, loop=self._loop, context=self._context.copy())
        self.adopt(task)
        task.add_done_callback(self._background_ended, context=self._context)
        return task

    def in_branch(self, branch: Branch, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """A task of the engine's own that is a branch of the run."""
        context = self._context.copy()
        context.run(enter, branch)
        task = asyncio.Task(work, loop=self._loop, context=context)
        self.adopt(task)
        return task

    def adopt(self, task: "asyncio.Task[Any]") -> None:
        """Remember a task of the job's code, to end it with the run."""
        self._tasks.add(task)
        task.add_done_callback(self._task_ended, context=self._context)

    def _task_ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if self.sealed and not task.cancelled():
            task.exception()  # retrieved: what a sealed context raises is nobody's error

    def _background_ended(self, task: "asyncio.Task[None]") -> None:
        error = None if self.sealed or task.cancelled() else task.exception()
        if error is not None:
            self.broken(error)
