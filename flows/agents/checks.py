"""System checks: the flows that installed apps bring as files."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from flows.agents import files


@register()
def check_files(**_: Any) -> list[CheckMessage]:
    """Files that are no agent flows (agents.E001)."""
    return [
        Error(str(problem), hint="The keys are explained in docs/howto/agent-flows.md.", id="agents.E001")
        for problem in files.loaded().problems
    ]
