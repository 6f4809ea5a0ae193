"""Python functions that pipelines may call by name. A document names what is registered here; it imports nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flows.llm.registered import NotRegistered, Registered, RegistrationRefused
from flows.llm.tools.registry import register_tool, tool_names, tool_of

__all__ = [
    "Item",
    "NotRegistered",
    "RegistrationRefused",
    "Work",
    "function_names",
    "function_of",
    "pipeline_step",
    "register_tool",
    "tool_names",
    "tool_of",
]

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a custom step receives; all of it JSON.

    `source` is that of a fan-out's shard, `item` that of a step per item; `items` holds those of the steps it depends
    on, by step id. `prompt` is the rendered `prompt.user`.
    """

    step_id: str
    index: int | None = None
    source: dict[str, Any] | None = None
    item: dict[str, Any] | None = None
    items: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    sources: list[dict[str, Any]] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    prompt: str = ""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One of several results that a custom step returns as a list; steps per item go over them."""

    data: Any
    label: str = ""


_functions = Registered[Callable[..., Any]]("function")


def pipeline_step(name: str) -> Callable[[F], F]:
    """Register a function `(work: Work)`, plain or async, for steps of kind `custom` with `function: <name>`.

    It returns what fits the step's output_type, or a list of `Item`. Raises RegistrationRefused.
    """

    def register(function: F) -> F:
        _functions.add(name, function, function)
        return function

    return register


def function_of(name: str) -> Callable[..., Any]:
    """Raises NotRegistered."""
    return _functions.get(name)


def function_names() -> list[str]:
    return _functions.names
