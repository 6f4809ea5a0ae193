"""Tools of this machine. Each is there once the settings allow what it reaches."""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from asgiref.sync import sync_to_async

from flows.llm.tools.conf import get_settings
from flows.llm.tools.definition import Tool
from flows.llm.tools.local.commands import run_command
from flows.llm.tools.local.files import FILE_TOOLS
from flows.llm.tools.local.folders import Place, confined_to
from flows.llm.tools.local.hosts import http_get

Find = Callable[[], Place]


def workspace_tools(folder: str, find: Find | None = None) -> list[Tool]:
    """Tools that see this folder only, whatever LLM_TOOL_FOLDERS allows; programs need LLM_TOOL_COMMANDS all the same.

    The caller sees to it that the folder may be used, or gives `find`, which is called in a thread before each call of
    a tool: it says where the folder is, and raises for one that may not be used.
    """
    allowed = get_settings()
    found = [*FILE_TOOLS, *([run_command] if allowed.commands else [])]
    return [_confined(tool, folder, find or (lambda: None)) for tool in found]


def web_tools() -> list[Tool]:
    """Those that need no folder, as far as LLM_TOOL_HOSTS allows them."""
    return [http_get] if get_settings().hosts else []


def local_tools() -> list[Tool]:
    """Those that LLM_TOOL_COMMANDS, LLM_TOOL_FOLDERS and LLM_TOOL_HOSTS allow; none without them."""
    allowed = get_settings()
    found: list[Tool] = [*FILE_TOOLS] if allowed.folders else []
    if allowed.commands:
        found.append(run_command)
    return found + web_tools()


def _confined(tool: Tool, folder: str, find: Callable[[], Place | None]) -> Tool:
    """The same tool, whose function knows no other folder."""
    function = tool.function

    @functools.wraps(function)
    async def in_loop(*args: Any, **kwargs: Any) -> Any:
        with confined_to(folder, await sync_to_async(find)()):
            return await function(*args, **kwargs)

    @functools.wraps(function)
    def in_thread(*args: Any, **kwargs: Any) -> Any:
        with confined_to(folder, find()):
            return function(*args, **kwargs)

    return replace(tool, function=in_loop if tool.is_async else in_thread)
