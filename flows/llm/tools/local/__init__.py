"""Tools of this machine. Each is there once the settings allow what it reaches."""

from flows.llm.tools.conf import get_settings
from flows.llm.tools.definition import Tool
from flows.llm.tools.local.commands import run_command
from flows.llm.tools.local.files import FILE_TOOLS
from flows.llm.tools.local.hosts import http_get


def local_tools() -> list[Tool]:
    """Those that LLM_TOOL_COMMANDS, LLM_TOOL_FOLDERS and LLM_TOOL_HOSTS allow; none without them."""
    allowed = get_settings()
    found: list[Tool] = [*FILE_TOOLS] if allowed.folders else []
    if allowed.commands:
        found.append(run_command)
    if allowed.hosts:
        found.append(http_get)
    return found
