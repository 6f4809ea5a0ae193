"""`step.patched`: which road a run takes where its job's code was changed.

A marker is a row among the run's steps, but it has no place in the order of its branch: code before and after it is
replayed alike, and a marker that the code no longer asks for is nobody's missing step.
"""

from uuid import UUID

from runs import clock
from runs.engine.branches import Branch
from runs.engine.store.transitions import StepRow, Transition
from runs.events.types import EventDraft, EventType
from runs.models import StepStatus

KIND = "patch"


class Reach:
    """How far the recorded steps of each branch go."""

    def __init__(self) -> None:
        self._last_position: dict[str, int] = {}
        self._last_child: dict[str, int] = {}

    def add(self, path: str, position: int) -> None:
        self._last_position[path] = max(position, self._last_position.get(path, -1))
        while "." in path:
            path, _, number = path.rpartition(".")
            self._last_child[path] = max(int(number), self._last_child.get(path, 0))

    def is_ahead_of(self, branch: Branch) -> bool:
        """Whether a step, or a task with steps, is recorded that the branch has not come to yet."""
        return (
            self._last_position.get(branch.path, -1) >= branch.position
            or self._last_child.get(branch.path, 0) > branch.children
        )


def marker_of(name: str, path: str) -> str:
    """The marker's name in its run: each branch decides for itself, because order is kept per branch only."""
    return f"{KIND}:{name}" if path == "0" else f"{KIND}:{name}@{path}"


def marking(run_id: UUID, marker: str, branch: Branch) -> Transition:
    """The transition that records the new road, before anything that the run does on it."""
    now = clock.now()
    row = StepRow(
        run_id, marker, KIND, branch.path, branch.position, StepStatus.COMPLETED.value, 0, 0, "true", "[]", None,
        now, now, None,
    )  # fmt: skip
    return Transition(now, events=(EventDraft(EventType.STEP_COMPLETE, {"output": True}, marker),), steps=(row,))
