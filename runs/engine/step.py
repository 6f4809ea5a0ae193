"""What a job receives."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ParamSpec, TypeVar, overload
from uuid import UUID

from runs import clock
from runs.definitions import Job, Retry, registry
from runs.engine import artifacts, children, races
from runs.engine.branches import current_branch
from runs.engine.calls import Policy, StepCall
from runs.engine.ends import failed_steps
from runs.engine.notes import Notes
from runs.engine.ports import Kernel, through
from runs.engine.skips import Skip
from runs.engine.state import RunState
from runs.engine.waits import SignalWait, Sleep
from runs.errors import InvalidOption, RunsError, StepOutsideJob
from runs.events.types import EventType
from runs.models import Run

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")
NOTED = (EventType.FLOW_TRANSITION, EventType.FLOW_LOOP, EventType.FLOW_LIMIT, EventType.FLOW_BLOCKED)

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

    def __init__(
        self, run: Run, policy: Policy, kernel: Kernel, perform: Perform, notes: Notes, state: RunState
    ) -> None:
        self._run = run
        self._policy = policy
        self._kernel = kernel
        self._perform = perform
        self._notes = notes
        self.log = StepLog(notes)
        self.state = state

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
        return StepContext(self._run, policy, self._kernel, self._perform, self._notes, self.state)

    def patched(self, name: str) -> bool:
        """Whether this run takes the road that was added under `name`; recorded, and the same ever after.

        True unless the run had come further than this line before. Each branch decides for itself; in a loop, put
        the index in the name to let later rounds take the new road. Raises InvalidStepName, StepOutsideJob,
        StepNameReused (a step has the marker's name, `patch:<name>`).
        """
        return self._kernel.patched(name)

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

    async def transaction(self, name: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a plain `def` in the very database transaction that records the step: its ORM writes happen once.

        Keep it to milliseconds. `step.*`, emit and checkpoint raise inside. Raises StepFailed; then nothing is
        written.
        """
        done: T = await self._perform(StepCall(name, "transaction", function, args, kwargs, self._policy))
        return done

    async def save_artifact(
        self, name: str, content: str | bytes, *, media_type: str | None = None, step_name: str | None = None
    ) -> dict[str, Any]:
        """Save a file with the run, under its name's next version; recorded, so once.

        Gives `{"name", "version", "media_type", "size", "digest"}`: bytes and SHA-256. The media type is guessed by the
        name. The step's name defaults to `artifact:<name>#<n>`, counted per branch. Raises InvalidArtifact,
        ArtifactTooLarge (RUNS_MAX_ARTIFACT_BYTES), StepFailed.
        """
        data = artifacts.as_bytes(artifacts.check_name(name), content)
        kept = (self._run.id, name, data, artifacts.media_type_of(name, content, media_type))
        step = step_name or _counted_step("artifact", name)
        saved: dict[str, Any] = await self._perform(
            StepCall(step, artifacts.KIND, artifacts.keep, kept, {}, self._policy)
        )
        return saved

    async def skip(self, name: str, reason: str = "", value: Any = None) -> Any:
        """Record a step as skipped, with `value` as its result; gives that as JSON, now and on replay. No attempt.

        Raises StorageError, StepNameReused, StepOutsideJob.
        """
        return await Skip(self._kernel, self._kernel.meet(name, Skip.kind), reason, value).result()

    async def sleep(self, name: str, until: timedelta | datetime) -> None:
        """Wait for a duration or until a time, holding no worker; wakes within a second of it."""
        at = clock.now() + until if isinstance(until, timedelta) else until
        if at.tzinfo is None:
            raise InvalidOption("until", "has no time zone", "Give one, as in datetime(2030, 1, 31, tzinfo=UTC).")
        await Sleep(self._kernel, self._kernel.meet(name, Sleep.kind), at).result()

    async def wait_for_signal(
        self,
        signal: str | Sequence[str],
        *,
        name: str | None = None,
        timeout: timedelta | None = None,
        type: Any = None,
    ) -> Any:
        """The payload of the oldest unconsumed signal of this name, holding no worker while none is there.

        For one of several names it gives a ReceivedSignal. `type` validates the payload. The step's name defaults
        to `signal:<signal>#<n>`, counted per branch. Raises SignalTimeout, InvalidSignal.
        """
        names = (signal,) if isinstance(signal, str) else tuple(signal)
        record = self._kernel.meet(name or _counted_step("signal", "|".join(names)), SignalWait.kind)
        return await SignalWait(self._kernel, record, names, timeout, type).result()

    async def child(
        self, name: str, job: Job | str, input: Any = None, *, on_failure: Job | str | None = None, **options: Any
    ) -> Any:
        """Run another job and wait for its output; this run holds no worker meanwhile. By name, a rollout chooses.

        `on_failure` names a substitute job, started with the same input when the child does not complete. The
        policy's retries start further children. Further options: `version`, `labels`, `queue`, `priority`. Raises
        ChildFailed, InvalidInput.
        """
        tries = _jobs([job], options.pop("version", None)) * self._policy.retries.max_attempts
        tries += _jobs([on_failure]) if on_failure is not None else []
        return await children.run_first_that_completes(self._kernel, self._run, name, tries, input, options)

    async def start_child(
        self, name: str, job: Job | str, input: Any = None, *, detached: bool = False, **options: Any
    ) -> UUID:
        """Start another job without waiting; its id. A cancel reaches it too, unless it is detached."""
        definition = _jobs([job], options.pop("version", None))[0]
        return await children.start_only(self._kernel, self._run, name, definition, input, detached, options)

    async def map(
        self, name: str, function: Callable[[Item], Any], items: Iterable[Item], *, concurrency: int = 10
    ) -> list[Any]:
        """`function(item)` for each item, at most `concurrency` at once; the results in order.

        Each item is a step `<name>[<index>]`, so a resumed run does only what is missing. Raises the StepFailed of
        the first item that failed, after all others have ended.
        """
        if concurrency < 1:
            raise InvalidOption("concurrency", "is less than 1", "Say how many items may be under way at once.")
        places = asyncio.Semaphore(concurrency)

        async def one(index: int, item: Item) -> Any:
            async with places:
                return await self.run(f"{name}[{index}]", function, item)

        results = await asyncio.gather(*(one(*pair) for pair in enumerate(items)), return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            raise _with_all_failed(failures)
        return results

    async def race(self, name: str, branches: Mapping[str, Callable[["StepContext"], Awaitable[Any]]]) -> races.Winner:
        """Run the branches at once; the first that ends wins and the others are cancelled.

        Gives `Winner(name, value)`, and the same one on replay. Raises what the winner raised.
        """
        calls = {label: functools.partial(branch, self) for label, branch in branches.items()}
        return await through(self._kernel, races.run(self._kernel, name, calls))

    def note(self, event: EventType, data: Mapping[str, Any], *, step: str | None = None) -> None:
        """Write an event of an agent flow (`flow:*`) to the log; `data` is JSON, `step` the step that it is about.

        Not written again on replay. Raises InvalidOption for other events, StorageError.
        """
        if event not in NOTED:
            raise InvalidOption("event", f"is {event}", f"Use one of {', '.join(NOTED)}.")
        self._notes.write_event(event, data, step)

    def progress(self, current: float, total: float | None = None, message: str = "") -> None:
        """Say how far the run is; shown on its page and kept in its row."""
        self._notes.write_progress(current, total, message)


def _jobs(wanted: Sequence[Job | str], version: str | None = None) -> list[children.Wanted]:
    return [
        children.Wanted(job) if isinstance(job, Job) else children.Wanted(registry.get(job, version), version is None)
        for job in wanted
    ]


def _with_all_failed(failures: list[BaseException]) -> BaseException:
    """The first failure, or what ends the driving; it names the steps of the others for a retry of the run."""
    first = next((one for one in failures if not isinstance(one, Exception)), failures[0])
    if isinstance(first, RunsError):
        first.failed_steps = tuple(step for one in failures for step in failed_steps(one))
    return first


def _counted_step(kind: str, label: str) -> str:
    branch = current_branch()
    if branch is None:
        raise StepOutsideJob("wait_for_signal" if kind == "signal" else kind)
    number = branch.next_of(label if kind == "signal" else f"{kind}:{label}")
    place = "" if branch.path == "0" or branch.qualified("") == f"@{branch.path}" else f"@{branch.path}"
    return f"{kind}:{label}#{number}{place}"
