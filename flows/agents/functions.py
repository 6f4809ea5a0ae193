"""Python functions that flows may call by name. A flow names what is registered here; it imports nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from runs.errors import RunsError

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a function of a step receives; all of it JSON.

    `previous` is what the step before said, `structured` the newest structured output of each step, `outputs` the
    newest content. `folder` is the run's workspace, or empty.
    """

    step: str
    task: str
    iteration: int
    previous: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    structured: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    vars: dict[str, str] = field(default_factory=dict)
    folder: str = ""


class FunctionRefused(RunsError):
    """A name for functions of flows that is taken, or no name."""

    code = "function_refused"

    def __init__(self, name: object, problem: str) -> None:
        super().__init__(f"Function {str(name)[:100]!r} {problem}. Register it under another name.")


class FunctionNotRegistered(RunsError):
    """A function that a flow names and this process does not have."""

    code = "function_not_registered"

    def __init__(self, name: object) -> None:
        super().__init__(
            f"There is no function {str(name)[:100]!r} for flows here. Register it in an app's jobs.py and deploy it."
        )


_functions: dict[str, Callable[..., Any]] = {}


def flow_function(name: str) -> Callable[[F], F]:
    """Register a function `(work: Work)`, plain or async, for steps with `function: <name>`.

    It returns JSON: a text is what the step says, anything else its structured output. Raises FunctionRefused.
    """

    def register(function: F) -> F:
        if not name or not name.isprintable() or len(name) > 200:
            raise FunctionRefused(name, "is no name")
        if _place(_functions.get(name, function)) != _place(function):
            raise FunctionRefused(name, "is registered by another module")
        _functions[name] = function
        return function

    return register


def function_of(name: str) -> Callable[..., Any]:
    """Raises FunctionNotRegistered."""
    if name not in _functions:
        raise FunctionNotRegistered(name)
    return _functions[name]


def function_names() -> list[str]:
    return sorted(_functions)


def _place(function: Callable[..., Any]) -> tuple[str, str]:
    return function.__module__, function.__qualname__
