"""One call of a step's function: its timeout, its thread, what a streaming function is given."""

import asyncio
import contextvars
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from django.db import close_old_connections

from runs import clock
from runs.engine import attempts, branches
from runs.engine.attempts import CurrentAttempt
from runs.engine.calls import StepCall
from runs.engine.history import StepRecord
from runs.engine.payload import clean, encode
from runs.engine.ports import Kernel
from runs.engine.store.transitions import CheckpointRow, Transition
from runs.engine.streams import Checkpoint, Emit, SyncCheckpoint
from runs.errors import StepCancelled, StepTimeout, StorageError
from runs.events.types import EventDraft, EventType


class Invocation:
    """Calls the function of one attempt."""

    def __init__(
        self, kernel: Kernel, call: StepCall, record: StepRecord, attempt: CurrentAttempt,
        keep: Callable[[Transition], Awaitable[Exception | None]],
    ) -> None:  # fmt: skip
        """`keep(transition)` writes a checkpoint."""
        self._kernel = kernel
        self.call = call
        self.record = record
        self.attempt = attempt
        self._keep = keep
        self._frames_key = kernel.run_id, call.name, kernel.token, attempt.number

    async def result(self) -> Any:
        in_step = branches.enter(None)
        as_attempt = attempts.enter(self.attempt)
        try:
            return await self._within_timeout()
        finally:
            self.attempt.stop()  # a thread or task that outlives the call emits and saves nothing more
            attempts.leave(as_attempt)
            branches.leave(in_step)

    async def _within_timeout(self) -> Any:
        timeout = self.call.policy.timeout
        if timeout is None:
            return await self._call_function()
        seconds = timeout.total_seconds()
        try:
            async with asyncio.timeout(seconds) as scope:
                return await self._call_function()
        except TimeoutError as exc:
            if scope.expired():
                self.attempt.stop()
                raise StepTimeout(self.call.name, seconds) from exc
            raise

    async def _call_function(self) -> Any:
        is_async = _is_async(self.call.function)
        args = self._stream_arguments(is_async) if self.call.kind == "stream" else self.call.args
        if is_async:
            return await self.call.function(*args, **self.call.kwargs)
        result = await self._call_in_thread(args)
        return await result if inspect.isawaitable(result) else result

    def _stream_arguments(self, is_async: bool) -> tuple[Any, ...]:
        emit = Emit(self.attempt, self._kernel.frames.emitter(*self._frames_key))
        if is_async:
            both = (emit, Checkpoint(self.record, self._save_checkpoint))
        else:
            both = (emit, SyncCheckpoint(self.record, self._save_checkpoint, asyncio.get_running_loop()))
        return both[: len(inspect.signature(self.call.function).parameters)]

    async def _call_in_thread(self, args: tuple[Any, ...]) -> Any:
        context = contextvars.copy_context()
        future = self._kernel.submit_to_thread(
            lambda: context.run(_call_and_close, self.call.function, args, self.call.kwargs)
        )
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            self.attempt.stop()
            self._kernel.watch_thread(future, self.call.name)
            raise

    async def _save_checkpoint(self, state: Any) -> None:
        payload = encode(state, f"A checkpoint of step {self.call.name!r}")
        if self.attempt.cancelled or self._kernel.sealed:
            raise StepCancelled(self.call.name)
        self.record.checkpoints += 1
        number, now = self.record.checkpoints, clock.now()
        row = CheckpointRow(
            self._kernel.run_id, self.call.name, number, self.attempt.number, payload.text,
            payload.secrets_text, payload.size, now,
        )  # fmt: skip
        event = EventDraft(
            EventType.CHECKPOINT_SAVE, {"number": number, "size": payload.size}, self.call.name, self.attempt.number
        )
        problem = await self._keep(Transition(now, events=(event,), checkpoints=(row,)))
        if problem is not None:
            raise StorageError(f"A checkpoint of step {self.call.name!r}", clean(str(problem), 500))
        self.record.last_state = payload.value


def _is_async(function: Callable[..., Any]) -> bool:
    if inspect.iscoroutinefunction(function):
        return True
    call = getattr(function, "__call__", None)  # noqa: B004  (an object whose __call__ is async)
    return inspect.iscoroutinefunction(inspect.unwrap(function)) or inspect.iscoroutinefunction(call)


def _call_and_close(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call in a thread, and give database connections back after it."""
    try:
        return function(*args, **kwargs)
    except (StopIteration, GeneratorExit) as exc:  # these mean something else to the coroutine that awaits
        raise RuntimeError(f"a step function raised {type(exc).__name__}") from exc
    finally:
        close_old_connections()
