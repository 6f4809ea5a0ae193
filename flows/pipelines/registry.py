"""Python functions that pipelines may call by name. A document names what is registered here; it imports nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flows.llm.tools import Tool
from flows.llm.tools.local import local_tools
from flows.pipelines.errors import NotRegistered, RegistrationRefused

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


_tools: dict[str, Tool] = {}
_functions: dict[str, Callable[..., Any]] = {}


def pipeline_step(name: str) -> Callable[[F], F]:
    """Register a function `(work: Work)`, plain or async, for steps of kind `custom` with `function: <name>`.

    It returns what fits the step's output_type, or a list of `Item`. Raises RegistrationRefused.
    """

    def register(function: F) -> F:
        if not name or not name.isprintable() or len(name) > 200:
            raise RegistrationRefused("function", name, "is no name")
        if _place(_functions.get(name, function)) != _place(function):
            raise RegistrationRefused("function", name, "is registered by another module")
        _functions[name] = function
        return function

    return register


def function_of(name: str) -> Callable[..., Any]:
    """Raises NotRegistered."""
    if name not in _functions:
        raise NotRegistered("function", name)
    return _functions[name]


def register_tool(tool: Tool | Callable[..., Any]) -> Tool:
    """Let pipelines call a `@tool`, in steps of kind `tool` and by models. Raises RegistrationRefused."""
    made = Tool.of(tool)
    if _place(_tools.get(made.name, made).function) != _place(made.function):
        raise RegistrationRefused("tool", made.name, "is registered by another module")
    _tools[made.name] = made
    return made


def tool_of(name: str) -> Tool:
    """A registered tool, or one of this machine's that the settings allow. Raises NotRegistered."""
    found = _all_tools().get(name)
    if found is None:
        raise NotRegistered("tool", name)
    return found


def tool_names() -> list[str]:
    return sorted(_all_tools())


def _all_tools() -> dict[str, Tool]:
    return {tool.name: tool for tool in local_tools()} | _tools


def function_names() -> list[str]:
    return sorted(_functions)


def _place(function: Callable[..., Any]) -> tuple[str, str]:
    return function.__module__, function.__qualname__
