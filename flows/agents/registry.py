"""Python functions that agent flows may call by name, and the tools that their agents may use.

A flow names what is registered here, or is a tool of this machine; it imports nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flows.llm.registered import NotRegistered, Registered, RegistrationRefused
from flows.llm.tools.registry import LOCAL, Level, level_of, register_tool, registered_tools

__all__ = [
    "Level",
    "NotRegistered",
    "RegistrationRefused",
    "Work",
    "flow_function",
    "function_names",
    "function_of",
    "known_tools",
    "level_of",
    "register_tool",
]

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a Python step receives; all of it JSON.

    `arguments` are the step's `with`, filled in; `previous` is the answer before it; `outputs` holds the newest content
    of each step so far, and `structured` what of them has a schema; `folder` is the run's workspace, empty without one.
    """

    step: str
    iteration: int
    task: str
    arguments: dict[str, str] = field(default_factory=dict)
    previous: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    structured: dict[str, Any] = field(default_factory=dict)
    folder: str = ""


_functions = Registered[Callable[..., Any]]("function")


def flow_function(name: str) -> Callable[[F], F]:
    """Register a function `(work: Work)`, plain or async, for steps with `function: <name>`.

    It returns a text or JSON; its call is a recorded step, so it may be repeated after a crash. Raises
    RegistrationRefused.
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


def forget_function(name: str) -> None:
    """For tests, which register what no other test shall see."""
    _functions.forget(name)


CLAUDE_NAMES = {
    "Read": "read_file",
    "Glob": "list_files",
    "LS": "list_files",
    "Grep": "search_files",
    "Edit": "edit_file",
    "MultiEdit": "edit_file",
    "Write": "write_file",
    "Bash": "run_command",
    "WebFetch": "http_get",
}
"""What a coding agent's CLI calls such tools, and flows that were written for one."""

CLAUDE_ALONE = {"WebSearch", "Task", "TodoWrite", "NotebookRead", "NotebookEdit", "Skill"}
"""Tools of that CLI which a model is not handed: a flow that names them does without."""


def known_tools() -> set[str]:
    """Names that the allowed_tools of a model may hold, whether the settings allow them or not. A program has its own
    tools, and knows their names alone."""
    return {*LOCAL, *registered_tools(), *CLAUDE_NAMES, *CLAUDE_ALONE}
