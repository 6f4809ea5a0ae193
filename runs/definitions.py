"""What a job is, as data, and the registry of all jobs. No database."""

import inspect
import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from runs.budgets import Budget
from runs.errors import InvalidInput, InvalidJob, InvalidOption, InvalidOutput, JobAlreadyRegistered, JobNotFound
from runs.handlers import Handlers, Query, Update

LONGEST_WISH_SECONDS = 3600.0
"""The most that an error's `retry_after` puts off the next attempt."""


@dataclass(frozen=True, kw_only=True)
class Retry:
    """When a failed attempt is followed by another. Durations in seconds; `max_attempts` counts the first one.

    An error may say for itself: `is_retryable = False` ends the attempts, a number `retry_after` (seconds) puts the
    next one off at least so long, at most an hour.
    """

    max_attempts: int = 1
    initial: float = 1.0
    factor: float = 2.0
    maximum: float = 60.0
    jitter: float = 0.2
    unless: tuple[type[BaseException], ...] = ()

    @classmethod
    def of(cls, value: "Retry | int") -> "Retry":
        return value if isinstance(value, Retry) else cls(max_attempts=value)

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            raise InvalidOption("max_attempts", "is less than 1", "It counts the first attempt; use 1 for no retry.")
        if min(self.initial, self.maximum, self.factor) < 0 or not 0 <= self.jitter <= 1:
            raise InvalidOption("retries", "has a negative delay or a jitter beyond 0 to 1", "Use delays in seconds.")

    def delay_seconds(self, failures: int, error: BaseException | None = None) -> float:
        """Seconds before the attempt that follows `failures` failed ones, spread by ± `jitter`."""
        try:
            plain = min(self.initial * self.factor ** (failures - 1), self.maximum)
        except OverflowError:
            plain = self.maximum
        return max(plain * (1 + random.uniform(-self.jitter, self.jitter)), _wished_seconds(error))

    def allows(self, failures: int, error: BaseException) -> bool:
        if failures >= self.max_attempts or isinstance(error, self.unless):
            return False
        return _said_of_itself(error, "is_retryable") is not False


def _said_of_itself(error: BaseException | None, name: str) -> Any:
    try:
        return getattr(error, name, None)
    except Exception:  # a broken property must not hide the error itself
        return None


def _wished_seconds(error: BaseException | None) -> float:
    wish = _said_of_itself(error, "retry_after")
    if not isinstance(wish, int | float) or isinstance(wish, bool) or math.isnan(wish):
        return 0.0
    return min(max(wish, 0.0), LONGEST_WISH_SECONDS)


@dataclass(frozen=True, kw_only=True)
class Concurrency:
    """How many runs with the same `concurrency_key` may be under way; waiting runs count, unless released."""

    limit: int = 1
    release_while_waiting: bool = False

    @classmethod
    def of(cls, value: "Concurrency | int") -> "Concurrency":
        return value if isinstance(value, Concurrency) else cls(limit=value)


@dataclass(frozen=True, kw_only=True)
class Retention:
    """How long an ended run is kept: its `events` with what its steps recorded, and the `run` itself.

    None means the settings RUNS_EVENT_TTL_HOURS, RUNS_RUN_TTL_DAYS and RUNS_DELETE_ON_COMPLETION; with
    `delete_on_completion` a completed run goes within seconds.
    """

    events: timedelta | None = None
    run: timedelta | None = None
    delete_on_completion: bool | None = None

    def __post_init__(self) -> None:
        for name in ("events", "run"):
            if (getattr(self, name) or timedelta()) < timedelta():
                raise InvalidOption(name, "is negative", "Give the time after a run's end, as in timedelta(days=7).")


@dataclass(frozen=True, kw_only=True)
class Job:
    """A registered definition: name, version, schemas, policies and the function that does the work."""

    name: str
    version: str = "1"
    function: Callable[..., Any]
    retries: Retry = field(default_factory=Retry)
    timeout: timedelta | None = None
    on_end: Callable[..., Any] | None = None
    queue: str = "default"
    concurrency: Concurrency = field(default_factory=Concurrency)
    retention: Retention = field(default_factory=Retention)
    budget: Budget | None = None
    budget_of: Callable[[Any], Budget | None] | None = None
    agui: bool = False

    def query(self, function: Callable[..., Any] | None = None, *, name: str | None = None) -> Any:
        """Register `(view)` or `(view, arguments)`, which answers about a run without waking it. Raises InvalidJob.

        Its name is the function's, or `name`. A plain `def`; `view` is a `RunView`.
        """
        return self.queries.add(function, name)

    def update(self, function: Callable[..., Any] | None = None, *, name: str | None = None) -> Any:
        """Register `async def (step)` or `(step, payload)`, which runs inside a run when it is called from outside.

        Its name is the function's, or `name`. Its `validator` decorates a check before it is accepted. Raises
        InvalidJob.
        """
        return self.updates.add(function, name)

    @cached_property
    def queries(self) -> Handlers:
        return Handlers(self.name, Query)

    @cached_property
    def updates(self) -> Handlers:
        return Handlers(self.name, Update)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The job's own function, as other code and tests may call it; no run comes of it."""
        return self.function(*args, **kwargs)

    @property
    def key(self) -> tuple[str, str]:
        return self.name, self.version

    @cached_property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.function)

    @property
    def where(self) -> str:
        """Where the function stands; the line tells two functions of one name in one module apart."""
        code = getattr(inspect.unwrap(self.function), "__code__", None)
        line = f":{code.co_firstlineno}" if code else ""
        return f"{self.function.__module__}.{self.function.__qualname__}{line}"

    @property
    def description(self) -> str:
        return inspect.getdoc(self.function) or ""

    @cached_property
    def _hints(self) -> dict[str, Any]:
        return get_type_hints(self.function, include_extras=True)

    @cached_property
    def input_adapter(self) -> TypeAdapter[Any] | None:
        """Validates the input; None for a job that takes none."""
        names = list(inspect.signature(self.function).parameters)
        if len(names) < 2:
            return None
        return TypeAdapter(self._hints.get(names[1], Any))

    @cached_property
    def output_adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self._hints.get("return", Any))

    def input_schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of the input; an empty object's for a job without one."""
        if self.input_adapter is None:
            return {"type": "object", "properties": {}, "additionalProperties": False}
        return self.input_adapter.json_schema()

    def output_schema(self) -> dict[str, Any]:
        return self.output_adapter.json_schema(mode="serialization")

    def parse_input(self, value: Any) -> Any:
        """The typed input. `value` is JSON or already the model. Raises InvalidInput naming each field."""
        if self.input_adapter is None:
            if value in (None, {}):
                return {}
            raise InvalidInput(self.name, [{"field": "input", "message": "this job takes no input"}])
        try:
            return self.input_adapter.validate_python(value)
        except ValidationError as exc:
            raise InvalidInput(self.name, _fields(exc)) from exc

    def parse_output(self, value: Any) -> Any:
        """The output, checked against the declared type. Raises InvalidOutput naming the first bad field."""
        try:
            return self.output_adapter.validate_python(value)
        except ValidationError as exc:
            first = _fields(exc)[0]
            raise InvalidOutput(self.name, f"{first['field']}: {first['message']}") from exc


def _fields(exc: ValidationError) -> list[dict[str, str]]:
    return [
        {"field": ".".join(str(part) for part in error["loc"]) or "input", "message": error["msg"]}
        for error in exc.errors(include_url=False, include_input=False)
    ]


class Registry:
    """All jobs of this process by name and version."""

    def __init__(self) -> None:
        self._jobs: dict[tuple[str, str], Job] = {}

    def register(self, job: Job) -> None:
        """Raises JobAlreadyRegistered for another function under the same name and version, InvalidJob otherwise."""
        _check(job)
        found = self._jobs.get(job.key)
        if found is not None and found.where != job.where:
            raise JobAlreadyRegistered(job.name, job.version, found.where, job.where)
        self._jobs[job.key] = job

    def get(self, name: str, version: str | None = None) -> Job:
        """The job; without a version the one registered last. Raises JobNotFound."""
        if version is not None:
            if (name, version) not in self._jobs:
                raise JobNotFound(name, version)
            return self._jobs[name, version]
        versions = self.versions(name)
        if not versions:
            raise JobNotFound(name)
        return versions[-1]

    def versions(self, name: str) -> list[Job]:
        """The versions of a job, in the order in which they were registered."""
        return [job for job in self._jobs.values() if job.name == name]

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Afterwards the registry holds what it held before."""
        before = dict(self._jobs)
        try:
            yield
        finally:
            self._jobs = before

    def all(self) -> list[Job]:
        return sorted(self._jobs.values(), key=lambda job: job.key)


registry = Registry()


def _check(job: Job) -> None:
    if not job.name or len(job.name) > 200 or not job.name.isprintable() or "/" in job.name:
        raise InvalidJob(job.name, "has a name that is empty, too long or not printable", "Use up to 200 letters.")
    if not 1 <= len(job.version) <= 100 or not job.version.isprintable():
        raise InvalidJob(job.name, "has a version that is empty, too long or not printable", "Use one like '2'.")
    count = len(inspect.signature(job.function).parameters)
    if count not in (1, 2):
        raise InvalidJob(job.name, f"takes {count} parameters", "Write it as (step) or (step, input).")
