"""System checks: the definitions that installed apps bring as files."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from flows.pipelines import files


@register()
def check_files(**_: Any) -> list[CheckMessage]:
    """Files that are no pipelines (pipelines.E001)."""
    return [
        Error(
            str(problem),
            hint="The keys are explained in docs/howto/pipelines.md.",
            id="pipelines.E001",
        )
        for problem in files.loaded().problems
    ]
