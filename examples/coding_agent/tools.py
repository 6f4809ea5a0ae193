"""The tools of the agent: they see the project's folder and nothing else, and what they change is kept as it was."""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from examples.coding_agent.project import Originals, content_of
from flows.llm.tools import Tool
from flows.llm.tools.local import workspace_tools
from flows.llm.tools.local.folders import confined_to, locate
from providers.requests import ToolSpec

_READING = ("read_file", "list_files", "search_files")
_EDITING = ("write_file", "edit_file")

ASK = ToolSpec(
    name="ask_for_review",
    description="Have people look at what was changed, and wait for what they say. Call it alone, when all is done.",
    parameters={
        "type": "object",
        "properties": {"summary": {"type": "string", "description": "What was changed, and why."}},
        "required": ["summary"],
    },
)
"""Performed by the job: it waits for the signal `review`."""


def tools_for(folder: str, run_id: UUID) -> list[Tool]:
    """Those that read, and those that edit; no programs are run."""
    found = {tool.name: tool for tool in workspace_tools(folder)}
    editing = [replace(found[name], function=_keeping(found[name], folder, run_id)) for name in _EDITING]
    return [*(found[name] for name in _READING), *editing]


def _keeping(tool: Tool, folder: str, run_id: UUID) -> Callable[..., Any]:
    """The tool's function, which first keeps what the file was."""

    @functools.wraps(tool.function)
    def edit(*args: Any, **kwargs: Any) -> Any:
        path = str(kwargs["path"])
        with confined_to(folder):
            parts = locate(path).parts
        if parts:
            Originals(run_id).keep(parts, content_of(folder, path))
        return tool.function(*args, **kwargs)

    return edit
