"""Errors build their own message from data and end with the remedy.

`code` is stable: doors map it to a status in one table of their own, because a domain error knows no transport.
"""

from typing import Any, ClassVar


class RunsError(Exception):
    """Base of all errors that a caller can meet; never raised itself."""

    code: ClassVar[str] = "error"
    failed_steps: tuple[str, ...] = ()  # the steps whose failure it is: a retry of the run begins with them

    @property
    def details(self) -> dict[str, Any]:
        return {}
