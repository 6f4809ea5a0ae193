"""What a program may do without asking, what people decide, and what nobody is asked about."""

import os
from typing import Any, Literal

from flows.agents.commanding.protocol import Level, Wanted, bare_tool
from flows.agents.spec import Permission, Step

Verdict = Literal["approve", "deny", "ask"]

_VERDICTS: dict[Permission, dict[Level, Verdict]] = {
    Permission.READONLY: {"reads": "approve", "edits": "deny", "runs": "deny"},
    Permission.ASK: {"reads": "approve", "edits": "ask", "runs": "ask"},
    Permission.EDIT: {"reads": "approve", "edits": "approve", "runs": "ask"},
    Permission.FULL: {"reads": "approve", "edits": "approve", "runs": "approve"},
}
_PATHS = ("file_path", "notebook_path", "path")


def verdict(step: Step, wanted: Wanted, folder: str) -> Verdict:
    """Of a call that the program wants to make. A tool that the step does not allow is denied; what leads out of the
    workspace reaches further than what stays in it."""
    if step.allowed_tools is not None and wanted.tool not in {bare_tool(tool) for tool in step.allowed_tools}:
        return "deny"
    level: Level = "runs" if _leads_out(wanted.input, folder) else wanted.level
    return _VERDICTS[step.permitted][level]


def _leads_out(given: dict[str, Any], folder: str) -> bool:
    named = [value for name in _PATHS if isinstance(value := given.get(name), str)]
    root = os.path.realpath(folder)
    return any(not _is_inside(value, root) for value in named)


def _is_inside(path: str, root: str) -> bool:
    if path.startswith("~"):  # programs take it for a home
        return False
    try:
        found = os.path.realpath(os.path.join(root, path))
    except ValueError:  # a NUL
        return False
    return found == root or found.startswith(root.rstrip("/") + "/")
