"""What the kernel needs of the process around it, and what a step needs of the kernel."""

import asyncio
import concurrent.futures
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from runs.engine.attempts import CurrentAttempt
from runs.engine.calls import StepCall
from runs.engine.history import StepRecord
from runs.engine.mailbox import Mailbox
from runs.engine.payload import Payload
from runs.engine.store.spent import Spent
from runs.engine.store.transitions import Transition

T = TypeVar("T")


class FrameSink(Protocol):
    """Where stream frames go. Thread-safe; no emit ever waits for a database or the network."""

    def open(self, run_id: UUID, step: str, epoch: int, attempt: int) -> None:
        """A streaming attempt begins; its first frame has offset 0."""

    def emitter(self, run_id: UUID, step: str, epoch: int, attempt: int) -> Callable[[bytes], None]:
        """Takes the frames of an open attempt: each call is one, as JSON in UTF-8."""

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

    def emitter(self, run_id: UUID, step: str, epoch: int, attempt: int) -> Callable[[bytes], None]:
        def count(data: bytes) -> None:
            self._counts[run_id, step, epoch, attempt] += 1

        return count

    async def flush(self, run_id: UUID) -> None:
        return None

    def count(self, run_id: UUID, step: str, epoch: int, attempt: int) -> int:
        return self._counts.get((run_id, step, epoch, attempt), 0)

    def close(self, run_id: UUID, step: str, epoch: int, attempt: int) -> None:
        return None

    def drop_run(self, run_id: UUID) -> None:
        self._counts = {key: count for key, count in self._counts.items() if key[0] != run_id}


class OpenStep(Protocol):
    """A step with an attempt under way, as the kernel keeps it."""

    call: StepCall
    attempt: CurrentAttempt

    @property
    def is_settled(self) -> bool:
        """Its end is recorded."""

    @property
    def has_begun(self) -> bool:
        """Something of it is recorded."""

    def open_frames(self) -> None:
        """Its frames begin."""

    def cancellation(self) -> Transition:
        """The transition that ends it as cancelled."""


class Purse(Protocol):
    """What the run may spend."""

    def share(self) -> None:
        """The run gets a child, which spends, too."""

    def add(self, spent: Spent) -> None:
        """What a transition that is about to be written has spent; taken back where it was not written."""

    async def admit(self, step: OpenStep, is_new: bool) -> None:
        """Let an attempt begin, or wait until more is granted. Raises BudgetExceeded."""


class Kernel(Protocol):
    """The execution of one run, as its steps see it."""

    @property
    def run_id(self) -> UUID: ...
    @property
    def token(self) -> int: ...
    @property
    def sealed(self) -> bool: ...
    @property
    def is_cautious(self) -> bool: ...
    @property
    def frames(self) -> FrameSink: ...
    @property
    def artifact_versions(self) -> dict[str, int]:
        """The last version of each artefact that this execution has saved; nobody else writes the run meanwhile."""

    def meet(self, name: str, kind: str) -> StepRecord:
        """The record of the step that the running branch asks for now."""

    def patched(self, name: str) -> bool:
        """Whether the running branch takes the road that the code has under this name."""

    async def leave_step(self) -> None:
        """The step that the running branch asked for gives its value, or its error, to the job's code now."""

    def next_branches(self, count: int) -> list[str]:
        """Paths of the next `count` tasks of the running branch."""

    def last_signal_wait(self, branch: str) -> StepRecord | None:
        """The step that a branch ended with, if that was a wait which took a signal."""

    def excuse_branches(self, count: int) -> None:
        """The next `count` tasks of the running branch are not made on this replay."""

    def begin(self, step: OpenStep) -> None:
        """An attempt of `step` is under way: the run stays loaded."""

    def end(self, step: OpenStep) -> None: ...

    async def gate(self) -> None:
        """The step boundary. Raises Suspended once the run has left this process."""

    async def be_sure(self) -> None:
        """Wait while the lease may have run out. Raises Suspended when it turns out that it had."""

    @property
    def mailbox(self) -> Mailbox: ...
    @property
    def purse(self) -> Purse | None: ...

    async def in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a blocking function of the engine's own in a thread."""

    async def in_transaction(
        self, function: Callable[[], tuple[Any, Payload]], ending: Callable[[Payload], Transition]
    ) -> Any:
        """Call a function that gives `(value, payload)` and is committed with `ending(payload)`; the value."""

    async def park(
        self, until: datetime | None, reason: str, step: OpenStep | None = None, on_mail: bool = False
    ) -> None:
        """Wait durably; `step` is what the wait belongs to."""

    async def hold(self) -> None:
        """Wait until the job's own code cancels the call."""

    async def commit(self, transition: Transition, *, finish: bool = False) -> Exception | None:
        """Write and wait; gives the error of a value that cannot be stored."""

    def post(self, transition: Transition) -> None:
        """Write without waiting."""

    def call_later(self, seconds: float, function: Callable[..., object], *args: Any) -> asyncio.TimerHandle: ...
    def submit_to_thread(self, function: Callable[[], Any]) -> "concurrent.futures.Future[Any]": ...
    def watch_thread(self, future: "concurrent.futures.Future[Any]", step: str) -> None: ...


async def through(kernel: Kernel, step: Awaitable[T]) -> T:
    """The value or the error of a step, as the job's code gets it."""
    try:
        value = await step
    except Exception:
        await kernel.leave_step()
        raise
    await kernel.leave_step()
    return value
