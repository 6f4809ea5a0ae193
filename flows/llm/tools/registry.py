"""Tools that pipelines and agent flows may call by name, and what each of them can do at most."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, overload

from flows.llm.registered import NotRegistered, Registered
from flows.llm.tools.definition import Tool
from flows.llm.tools.local import local_tools


class Level(StrEnum):
    """What a tool can do at most: look, change files, or run programs and whatever else has effects."""

    READS = "reads"
    EDITS = "edits"
    RUNS = "runs"


LOCAL = {
    "read_file": Level.READS,
    "list_files": Level.READS,
    "search_files": Level.READS,
    "http_get": Level.READS,
    "write_file": Level.EDITS,
    "edit_file": Level.EDITS,
    "run_command": Level.RUNS,
}
"""The tools of this machine, also those that the settings do not allow."""


@dataclass(frozen=True, slots=True)
class _Entry:
    tool: Tool
    level: Level | None


_tools = Registered[_Entry]("tool")


@overload
def register_tool(tool: Tool | Callable[..., Any], /) -> Tool: ...
@overload
def register_tool(*, level: Level | str) -> Callable[[Tool | Callable[..., Any]], Tool]: ...
def register_tool(
    tool: Tool | Callable[..., Any] | None = None, /, *, level: Level | str | None = None
) -> Tool | Callable[[Tool | Callable[..., Any]], Tool]:
    """Let pipelines and agents call a `@tool` by its name. `level` is what an agent must be permitted for it.

    Without it a tool that needs no approval reads, and any other one runs. Raises RegistrationRefused.
    """
    wanted = Level(level) if level is not None else None

    def register(one: Tool | Callable[..., Any]) -> Tool:
        made = Tool.of(one)
        _tools.add(made.name, _Entry(made, wanted), made.function)
        return made

    return register if tool is None else register(tool)


def forget_tool(name: str) -> None:
    """For tests, which register what no other test shall see."""
    _tools.forget(name)


def tool_of(name: str) -> Tool:
    """A registered tool, or one of this machine's that the settings allow. Raises NotRegistered."""
    found = _all().get(name)
    if found is None:
        raise NotRegistered("tool", name)
    return found


def tool_names() -> list[str]:
    return sorted(_all())


def registered_tools() -> dict[str, Tool]:
    """Those of apps, by name."""
    return {name: entry.tool for name, entry in _tools.all().items()}


def level_of(tool: Tool) -> Level:
    """What the tool's registration says of it, else what the tool says of itself."""
    entry = _tools.all().get(tool.name)
    if entry is not None and entry.level is not None:
        return entry.level
    if entry is None and tool.name in LOCAL:
        return LOCAL[tool.name]
    return Level.READS if tool.needs_approval is False else Level.RUNS


def _all() -> dict[str, Tool]:
    return {tool.name: tool for tool in local_tools()} | registered_tools()


def level_of_name(name: str) -> Level | None:
    """Of a tool that is known here, also one of this machine that the settings do not allow; None for another."""
    registered = registered_tools().get(name)
    return level_of(registered) if registered is not None else LOCAL.get(name)
