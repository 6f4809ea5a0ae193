"""What an agent that is a program may do unasked: by the step's permission, its tools, and where a call leads."""

from pathlib import Path
from typing import Any

import pytest

from flows.agents.commanding import claude_code, permission
from flows.agents.commanding.protocol import Wanted
from tests.agents.programs import step


@pytest.mark.parametrize(
    ("fields", "tool", "given", "verdict"),
    [
        ({"permission": "full"}, "Read", {"file_path": "a/b"}, "approve"),
        ({"permission": "full", "edit": False}, "Edit", {}, "deny"),
        ({"permission": "edit"}, "Read", {"file_path": "/etc/passwd"}, "ask"),
        ({"permission": "edit"}, "Edit", {"file_path": "../x"}, "ask"),
        ({"permission": "edit"}, "Edit", {"file_path": "~/x"}, "ask"),
        ({"permission": "edit"}, "Edit", {"file_path": "link/x"}, "ask"),
        ({"permission": "edit"}, "Edit", {"file_path": "a\0b"}, "ask"),
        ({"permission": "readonly"}, "Read", {"path": "/etc/passwd"}, "deny"),
        ({"permission": "full", "allowed_tools": ["Read"]}, "Bash", {}, "deny"),
        ({"permission": "full", "allowed_tools": ["Bash(git:*)"]}, "Bash", {}, "approve"),
    ],
)  # fmt: skip
def test_what_leads_out_of_the_workspace_or_is_not_allowed_reaches_further(
    fields: dict[str, Any], tool: str, given: dict[str, Any], verdict: str, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to("/etc")
    level = "edits" if tool in claude_code.EDITS else "reads" if tool in claude_code.READS else "runs"
    wanted = Wanted(id="1", tool=tool, input=given, level=level)
    assert permission.verdict(step(**fields), wanted, str(tmp_path)) == verdict
