"""Where a fork begins: what it keeps of the run, and what it does again."""

from dataclasses import dataclass
from typing import Any

from runs.models import Run, Step, StepStatus

STEPS_LISTED = 500
"""Of a run with more, the name is typed."""

_SETTLED = (StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.CANCELLED, StepStatus.SKIPPED)
_GIVES = ("run", "stream", "transaction", "signal", "child", "race", "skip")
"""Kinds whose result the job's code reads."""


@dataclass(frozen=True)
class Place:
    """`step` is None until a recorded one is named."""

    steps: list[Step]
    step: Step | None

    @property
    def is_listed(self) -> bool:
        return len(self.steps) <= STEPS_LISTED

    @property
    def kept(self) -> list[Step]:
        """Recorded before the step. What updates did is done by their rows."""
        before = [one for one in self.steps if self.step is not None and one.pk < self.step.pk]
        return [one for one in before if one.status in _SETTLED and not one.branch.startswith("u")]

    @property
    def again(self) -> list[Step]:
        kept = {one.pk for one in self.kept}
        return [one for one in self.steps if self.step is not None and one.pk not in kept]

    @property
    def editable(self) -> list[Step]:
        """Whose results may be typed anew. One that holds secrets is not shown, so it is kept or made again."""
        return [one for one in self.kept if one.kind in _GIVES and not one.secrets]

    def giving_away(self, user: Any, run: Run) -> str:
        """Why this person may not change results, as the engine would say it; empty where they may."""
        if run.owner_id == user.pk:
            return ""
        holds = next((one.name for one in self.kept if one.secrets), None)
        if holds is not None:
            return (
                f"Step {holds} recorded secrets for somebody else, and what is kept beside them cannot be changed. "
                f"Begin at that step or before it, or let the run's owner fork it."
            )
        return ""


def read_place(run: Run, name: str) -> Place:
    """With the failed step, or the first, where none is named."""
    steps = list(run.steps.defer("output", "error").order_by("id"))
    if name:
        return Place(steps, next((one for one in steps if one.name == name), None))
    failed = next((one for one in steps if one.status == StepStatus.FAILED), None)
    return Place(steps, failed or next(iter(steps), None))
