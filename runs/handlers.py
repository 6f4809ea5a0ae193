"""What a job answers besides its output: queries of a run, and updates that run inside it. No database."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, get_type_hints

from pydantic import TypeAdapter, ValidationError

from runs.errors import HandlerNotFound, InvalidArguments, InvalidJob, InvalidOutput


@dataclass(eq=False)
class Handler:
    """A function of a job that is called by its name while a run is under way, with at most one typed argument."""

    kind: ClassVar[Literal["query", "update"]]
    job: str
    name: str
    function: Callable[..., Any]

    def __call__(self, *args: Any) -> Any:
        """The function itself, as other code and tests may call it."""
        return self.function(*args)

    @property
    def description(self) -> str:
        return inspect.getdoc(self.function) or ""

    @property
    def what(self) -> str:
        return f"{self.kind} {self.name!r}"

    @cached_property
    def _hints(self) -> dict[str, Any]:
        return get_type_hints(self.function, include_extras=True)

    @cached_property
    def argument_adapter(self) -> TypeAdapter[Any] | None:
        """Validates the argument; None for a handler that takes none."""
        names = list(inspect.signature(self.function).parameters)
        return TypeAdapter(self._hints.get(names[1], Any)) if len(names) > 1 else None

    @cached_property
    def result_adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self._hints.get("return", Any))

    @cached_property
    def _takes_none(self) -> bool:
        assert self.argument_adapter is not None
        try:
            self.argument_adapter.validate_python(None)
        except ValidationError:
            return False
        return True

    def argument_schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of the argument; an empty object's for a handler without one."""
        if self.argument_adapter is None:
            return {"type": "object", "properties": {}, "additionalProperties": False}
        return self.argument_adapter.json_schema()

    def result_schema(self) -> dict[str, Any]:
        return self.result_adapter.json_schema(mode="serialization")

    def parse(self, value: Any) -> tuple[Any, ...]:
        """What the function takes besides its first parameter. Raises InvalidArguments naming each field.

        Nothing given (None) is an empty object, where the type does not take None.
        """
        if self.argument_adapter is None:
            if value in (None, {}):
                return ()
            raise InvalidArguments(self.what, [{"field": "arguments", "message": "it takes none"}])
        try:
            return (self.argument_adapter.validate_python({} if value is None and not self._takes_none else value),)
        except ValidationError as exc:
            raise InvalidArguments(self.what, _fields(exc)) from exc

    def parse_result(self, value: Any) -> Any:
        """What the function returned, checked against the declared type. Raises InvalidOutput."""
        try:
            return self.result_adapter.validate_python(value)
        except ValidationError as exc:
            first = _fields(exc)[0]
            raise InvalidOutput(self.job, f"{self.what}: {first['field']}: {first['message']}") from exc


class Query(Handler):
    """Answers from what a run has recorded, without waking it: `(view)` or `(view, arguments)`, a plain `def`."""

    kind = "query"


class Update(Handler):
    """Runs inside a run and changes it: `async def (step)` or `async def (step, payload)`."""

    kind = "update"
    check: Callable[..., Any] | None = None

    def validator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorates `(view)` or `(view, payload)`, called before an update is accepted: what it raises refuses it."""
        _check_function(self.job, f"validator of {self.what}", function, is_async=False)
        self.check = function
        return function


class Handlers(dict[str, Handler]):
    """The handlers of one kind of a job, by name."""

    def __init__(self, job: str, kind: type[Handler]) -> None:
        super().__init__()
        self._job, self._kind = job, kind

    def add(self, function: Callable[..., Any] | None, name: str | None) -> Any:
        """Register, as a decorator with and without parentheses. Raises InvalidJob."""
        if function is None:
            return lambda later: self.add(later, name)
        made = self._kind(self._job, name or function.__name__, function)
        _check_name(made)
        _check_function(self._job, made.what, function, is_async=made.kind == "update")
        if made.name in self:
            raise InvalidJob(self._job, f"has {made.what} twice", "Give one of them another name.")
        self[made.name] = made
        return made

    def find(self, name: str) -> Any:
        """Raises HandlerNotFound."""
        if name not in self:
            raise HandlerNotFound(self._job, self._kind.kind, name, sorted(self))
        return self[name]


def _check_name(made: Handler) -> None:
    if not made.name or len(made.name) > 200 or not made.name.isprintable() or "/" in made.name:
        raise InvalidJob(made.job, f"has {made.what}, which is no name", "Use up to 200 letters without a slash.")


def _check_function(job: str, what: str, function: Callable[..., Any], *, is_async: bool) -> None:
    if inspect.iscoroutinefunction(function) != is_async:
        remedy = "an async def, also for a plain def job" if is_async else "a plain def"
        raise InvalidJob(job, f"has {what} of the wrong kind", f"Write it as {remedy}.")
    if len(inspect.signature(function).parameters) not in (1, 2):
        first, second = ("step", "payload") if is_async else ("view", "arguments")
        raise InvalidJob(job, f"has {what} with other parameters", f"Write it as ({first}) or ({first}, {second}).")


def _fields(exc: ValidationError) -> list[dict[str, str]]:
    return [
        {"field": ".".join(str(part) for part in error["loc"]) or "arguments", "message": error["msg"]}
        for error in exc.errors(include_url=False, include_input=False)
    ]
