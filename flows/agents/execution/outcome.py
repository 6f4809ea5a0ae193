"""What an iteration's work came to, whatever kind of step did it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flows.agents.execution.state import Status, StepOutput
from flows.agents.rules.choosing import SubMatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`returned` is a label that the work itself ended with, `subs` what the sub-steps matched.

    `error` says why there is nothing, and `failed_steps` names the recorded steps that a retry of the run does again.
    """

    status: Status = "done"
    content: str = ""
    structured: Any = None
    output: Any = None
    returned: str | None = None
    subs: Sequence[SubMatch] = ()
    error: str = ""
    failed_steps: tuple[str, ...] = ()

    @property
    def as_output(self) -> StepOutput:
        return StepOutput(self.status, self.content, self.structured, self.output)
