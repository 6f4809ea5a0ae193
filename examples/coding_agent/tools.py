"""The tools of the agent: they see the project's folder and nothing else, and what they change is kept as it was."""

import functools
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from examples.coding_agent.project import MOST_BYTES, Originals
from flows.llm.tools import Tool
from flows.llm.tools.errors import ToolRefused
from flows.llm.tools.local import workspace_tools
from flows.llm.tools.local.folders import confined_to, locate, open_file
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
        with confined_to(folder):
            place = locate(str(kwargs["path"]))
            if place.parts:
                Originals(run_id).keep(place.parts, _content(str(kwargs["path"])))
        return tool.function(*args, **kwargs)

    return edit


def _content(path: str) -> bytes | None:
    """None for a file that is not there yet, or that no tool reads."""
    try:
        with open_file(locate(path)) as opened, os.fdopen(os.dup(opened), "rb") as file:
            return file.read(MOST_BYTES)
    except (ToolRefused, OSError):
        return None
