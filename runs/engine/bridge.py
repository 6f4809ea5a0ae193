"""A plain `def` job: its thread and the loop that drives it, one generic bridge and no twin of the async API."""

import asyncio
import concurrent.futures
import contextvars
import functools
import inspect
import queue
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from runs.engine.step import StepContext
from runs.errors import Suspended

P = ParamSpec("P")
T = TypeVar("T")


class Bridge:
    """Carries calls of the job's thread to the loop, and sync step functions back into that thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, adopt: "Callable[[asyncio.Task[Any]], None]") -> None:
        self._loop = loop
        self._adopt = adopt
        self._messages: queue.SimpleQueue[Callable[[], Any] | asyncio.Task[Any]] = queue.SimpleQueue()

    def call(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run `coroutine` in the loop and wait; meanwhile do the work that it sends to this thread."""
        self._loop.call_soon_threadsafe(self._start, coroutine, contextvars.copy_context())
        while True:
            message = self._messages.get()
            if isinstance(message, asyncio.Task):
                return _outcome(message)
            message()

    def _start(self, coroutine: Coroutine[Any, Any, Any], context: contextvars.Context) -> None:
        # not by the loop's factory: the call belongs to the job's own branch and is no child of it
        task = asyncio.Task(coroutine, loop=self._loop, context=context)
        self._adopt(task)
        task.add_done_callback(self._messages.put)

    def submit(self, function: Callable[[], Any]) -> "concurrent.futures.Future[Any]":
        """Call a sync step function in the job's own thread, which is waiting for exactly this."""
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        future.set_running_or_notify_cancel()
        self._messages.put(lambda: _work(function, future))
        return future


def _work(function: Callable[[], Any], future: "concurrent.futures.Future[Any]") -> None:
    try:
        result = function()
    except BaseException as exc:
        future.set_exception(exc)
    else:
        future.set_result(result)


def _outcome(task: "asyncio.Task[Any]") -> Any:
    if task.cancelled():
        raise Suspended
    return task.result()


_bridge: contextvars.ContextVar[Bridge | None] = contextvars.ContextVar("runs_bridge", default=None)


def current_bridge() -> Bridge | None:
    """To the thread of the job whose code is running; None in an async job, and in an update of any."""
    return _bridge.get()


def enter(bridge: Bridge) -> None:
    _bridge.set(bridge)


class SyncStepContext:
    """What a plain `def` job receives: the names of StepContext, blocking."""

    def __init__(self, context: StepContext, bridge: Bridge) -> None:
        self._context = context
        self._bridge = bridge

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._context, name)
        if inspect.iscoroutinefunction(found):
            return functools.partial(self._call, found)
        return found

    def _call(self, method: Callable[..., Coroutine[Any, Any, Any]], *args: Any, **kwargs: Any) -> Any:
        return self._bridge.call(method(*args, **kwargs))

    def options(self, **policy: Any) -> "SyncStepContext":
        """The same context with another policy for its steps."""
        return SyncStepContext(self._context.options(**policy), self._bridge)

    def run_async(
        self, function: Callable[Concatenate[StepContext, P], Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Wait for `await function(step, ...)`, which takes steps of this run as if they stood here."""
        result: T = self._bridge.call(function(self._context, *args, **kwargs))
        return result


class Bridged(Generic[P, T]):
    """`@Bridged` on an async function of a StepContext: given a SyncStepContext it blocks and returns the result."""

    def __init__(self, function: Callable[Concatenate[StepContext, P], Coroutine[Any, Any, T]]) -> None:
        functools.update_wrapper(self, function)
        self._function = function

    @overload
    def __call__(self, step: StepContext, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, T]: ...
    @overload
    def __call__(self, step: SyncStepContext, /, *args: P.args, **kwargs: P.kwargs) -> T: ...
    def __call__(self, step: StepContext | SyncStepContext, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        if isinstance(step, SyncStepContext):
            return step.run_async(self._function, *args, **kwargs)
        return self._function(step, *args, **kwargs)
