"""What a streaming step is given: `emit` and `checkpoint`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from runs.conf import get_settings
from runs.engine.attempts import CurrentAttempt
from runs.engine.emitted import encode_emit
from runs.engine.history import StepRecord
from runs.errors import EmitTooLarge, StepCancelled


class Emit:
    """`emit(data)`: one frame, delivered live and never stored. Any thread; never blocks on the database.

    Raises StorageError for what is no JSON, EmitTooLarge, and StepCancelled once the attempt was told to stop.
    """

    def __init__(self, attempt: CurrentAttempt, send: Callable[[bytes], None]) -> None:
        self._attempt = attempt
        self._send = send
        self._where = f"An emit of step {attempt.step!r}"
        self._limit = get_settings().max_emit_bytes

    def __call__(self, data: Any) -> None:
        if self._attempt.cancelled:
            raise StepCancelled(self._attempt.step)
        text = encode_emit(data, self._where)
        if len(text) > self._limit:
            raise EmitTooLarge(self._attempt.step, len(text), self._limit)
        self._send(text)


class Checkpoint:
    """`await checkpoint(state)`: durable when it returns; `checkpoint.last` is the last state saved, None at first."""

    def __init__(self, record: StepRecord, save: Callable[[Any], Awaitable[None]]) -> None:
        self._record = record
        self._save = save

    @property
    def last(self) -> Any:
        return self._record.last_state

    async def __call__(self, state: Any) -> None:
        """Raises StorageError for what cannot be stored, StepCancelled once the attempt was told to stop."""
        await self._save(state)


class SyncCheckpoint(Checkpoint):
    """The same for a step function that runs in a thread: it blocks until the state is durable."""

    def __init__(
        self, record: StepRecord, save: Callable[[Any], Awaitable[None]], loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(record, save)
        self._loop = loop

    def __call__(self, state: Any) -> None:  # type: ignore[override]
        asyncio.run_coroutine_threadsafe(self._saved(state), self._loop).result()

    async def _saved(self, state: Any) -> None:
        await self._save(state)
