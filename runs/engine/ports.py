"""What the kernel needs of the process around it."""

from typing import Any, Protocol
from uuid import UUID


class FrameSink(Protocol):
    """Where stream frames go. Thread-safe; `emit` never waits for a database or the network."""

    def open(self, run_id: UUID, step: str, epoch: int, attempt: int) -> None:
        """A streaming attempt begins; its first frame has offset 0."""

    def emit(self, run_id: UUID, step: str, epoch: int, attempt: int, data: Any, size: int) -> None:
        """One frame; `data` is a JSON value of `size` bytes."""

    async def flush(self, run_id: UUID) -> None:
        """Everything emitted so far is on the bus when this returns, if anybody watches."""

    def count(self, run_id: UUID, step: str, epoch: int, attempt: int) -> int:
        """Frames emitted by the attempt."""

    def close(self, run_id: UUID, step: str, epoch: int, attempt: int) -> None:
        """The attempt ended; late requests may still be answered for some seconds."""

    def drop_run(self, run_id: UUID) -> None:
        """The run left this process: nothing more is sent for it."""


class NoFrames:
    """A sink for executions without followers: it only counts."""

    def __init__(self) -> None:
        self._counts: dict[tuple[UUID, str, int, int], int] = {}

    def open(self, run_id: UUID, step: str, epoch: int, attempt: int) -> None:
        self._counts[run_id, step, epoch, attempt] = 0

    def emit(self, run_id: UUID, step: str, epoch: int, attempt: int, data: Any, size: int) -> None:
        self._counts[run_id, step, epoch, attempt] += 1

    async def flush(self, run_id: UUID) -> None:
        return None

    def count(self, run_id: UUID, step: str, epoch: int, attempt: int) -> int:
        return self._counts.get((run_id, step, epoch, attempt), 0)

    def close(self, run_id: UUID, step: str, epoch: int, attempt: int) -> None:
        return None

    def drop_run(self, run_id: UUID) -> None:
        self._counts = {key: count for key, count in self._counts.items() if key[0] != run_id}
