"""What a streaming step is given: `emit` and `checkpoint`."""

import asyncio
from typing import TYPE_CHECKING, Any

from runs.conf import get_settings
from runs.engine.payload import encode
from runs.errors import EmitTooLarge, StepCancelled

if TYPE_CHECKING:
    from runs.engine.perform import Performance


class Emit:
    """`emit(data)`: one frame, delivered live and never stored. Any thread; never blocks on the database.

    Raises StorageError for what is no JSON, EmitTooLarge, and StepCancelled once the attempt was told to stop.
    """

    def __init__(self, performance: "Performance") -> None:
        self._performance = performance
        self._limit = get_settings().max_emit_bytes

    def __call__(self, data: Any) -> None:
        step = self._performance.call.name
        if self._performance.attempt.cancelled:
            raise StepCancelled(step)
        payload = encode(data, f"An emit of step {step!r}")
        if payload.size > self._limit:
            raise EmitTooLarge(step, payload.size, self._limit)
        self._performance.emit(payload.shown, payload.size)


class Checkpoint:
    """`await checkpoint(state)`: durable when it returns; `checkpoint.last` is the last state saved, None at first."""

    def __init__(self, performance: "Performance") -> None:
        self._performance = performance

    @property
    def last(self) -> Any:
        return self._performance.record.last_state

    async def __call__(self, state: Any) -> None:
        """Raises StorageError for what cannot be stored, StepCancelled once the attempt was told to stop."""
        await self._performance.save_checkpoint(state)


class SyncCheckpoint(Checkpoint):
    """The same for a step function that runs in a thread: it blocks until the state is durable."""

    def __init__(self, performance: "Performance", loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(performance)
        self._loop = loop

    def __call__(self, state: Any) -> None:  # type: ignore[override]
        asyncio.run_coroutine_threadsafe(self._performance.save_checkpoint(state), self._loop).result()
