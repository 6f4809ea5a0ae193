"""What a job receives."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar, overload
from uuid import UUID

from runs.definitions import Retry
from runs.engine.notes import Notes
from runs.models import Run

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Policy:
    """How a step's attempts are limited."""

    retries: Retry
    timeout: timedelta | None = None


@dataclass(frozen=True, slots=True)
class StepCall:
    """One call of a step as the kernel performs it."""

    name: str
    kind: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    policy: Policy


Perform = Callable[[StepCall], Awaitable[Any]]


class StepLog:
    """`step.log`: lines of a run, each an event. A replay does not write again what the job's code wrote before."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def debug(self, message: str, **data: Any) -> None:
        self._notes.write_log("debug", message, data)

    def info(self, message: str, **data: Any) -> None:
        self._notes.write_log("info", message, data)

    def warning(self, message: str, **data: Any) -> None:
        self._notes.write_log("warning", message, data)

    def error(self, message: str, **data: Any) -> None:
        self._notes.write_log("error", message, data)


class StepContext:
    """The steps of one run. Names are unique in a run; a recorded step is never executed again."""

    def __init__(self, run: Run, policy: Policy, perform: Perform, notes: Notes) -> None:
        self._run = run
        self._policy = policy
        self._perform = perform
        self._notes = notes
        self.log = StepLog(notes)

    @property
    def run_id(self) -> UUID:
        return self._run.id

    @property
    def labels(self) -> dict[str, str]:
        return dict(self._run.labels)

    def options(self, *, retries: Retry | int | None = None, timeout: timedelta | None = None) -> "StepContext":
        """The same context with another policy: `retries` (an int is max_attempts) and `timeout` of each attempt."""
        policy = self._policy
        if retries is not None:
            policy = replace(policy, retries=Retry.of(retries))
        if timeout is not None:
            policy = replace(policy, timeout=timeout)
        return StepContext(self._run, policy, self._perform, self._notes)

    @overload
    async def run(self, name: str, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T: ...
    @overload
    async def run(self, name: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...
    async def run(self, name: str, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call `function` and record what it returns; a recorded step returns that without calling.

        Raises StepFailed after the last attempt, StorageError for what cannot be stored (as StepFailed's cause),
        StepNameReused, StepOutsideJob.
        """
        return await self._perform(StepCall(name, "run", function, args, kwargs, self._policy))

    async def stream(self, name: str, function: Callable[..., Any]) -> Any:
        """Call `function(emit, checkpoint)` or `function(emit)`: what it emits is seen live, what it returns is kept.

        `emit(data)` never blocks; `await checkpoint(state)` is durable when it returns and `checkpoint.last` is the
        last state saved by this or an earlier attempt (a sync function calls `checkpoint(state)`).
        """
        return await self._perform(StepCall(name, "stream", function, (), {}, self._policy))

    def progress(self, current: float, total: float | None = None, message: str = "") -> None:
        """Say how far the run is; shown on its page and kept in its row."""
        self._notes.write_progress(current, total, message)
