"""Functions that models may call: `@tool`, who approves a call, and the tools of this machine.

from flows.llm.tools import tool
"""

from flows.llm.tools.approval import Approval
from flows.llm.tools.calls import CurrentCall, current_call
from flows.llm.tools.definition import Tool, tool
from flows.llm.tools.errors import ToolRefused
from flows.llm.tools.results import ToolResult

__all__ = ["Approval", "CurrentCall", "Tool", "ToolRefused", "ToolResult", "current_call", "tool"]
