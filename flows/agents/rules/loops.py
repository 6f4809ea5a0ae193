"""Whether a flow runs in circles: the same step again and again, or a cycle of steps."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flows.agents.spec import LoopDetection, LoopMonitor


@dataclass(frozen=True, slots=True)
class Loop:
    """The same step for the `count`-th time in a row."""

    step: str
    count: int
    action: Literal["warn", "abort"]

    @property
    def message(self) -> str:
        return f'Loop detected: step "{self.step}" ran {self.count} times consecutively without progress.'


class LoopDetector:
    """Asked before each iteration; not told of anything else."""

    def __init__(self, detection: LoopDetection) -> None:
        self._detection = detection
        self._last: str | None = None
        self._count = 0

    def about_to_run(self, step: str) -> Loop | None:
        """The loop that this run of the step would go on; None while it is none, and where it is to be ignored."""
        self._count = self._count + 1 if step == self._last else 1
        self._last = step
        action = self._detection.action
        if action == "ignore" or self._count <= self._detection.max_consecutive_same_step:
            return None
        return Loop(step, self._count, action)


class Monitors:
    """Told of each completed step; says which monitor's judge is to be asked."""

    def __init__(self, monitors: Sequence[LoopMonitor]) -> None:
        self._monitors = tuple(monitors)
        self._histories = [deque[str](maxlen=len(one.cycle) * one.threshold) for one in self._monitors]

    def completed(self, step: str, natural_next: str | None) -> LoopMonitor | None:
        """The first monitor whose cycle was gone round `threshold` times and would begin again.

        After that all start to count anew.
        """
        found = None
        for monitor, history in zip(self._monitors, self._histories, strict=True):
            if step not in monitor.ignore_steps:
                history.append(step)
            if found is None and natural_next == monitor.cycle[0]:
                found = monitor if tuple(history) == monitor.cycle * monitor.threshold else None
        if found is not None:
            for history in self._histories:
                history.clear()
        return found


def judge_name(monitor: LoopMonitor) -> str:
    """As the step of a loop's judge is called in texts."""
    return f"_loop_judge_{'_'.join(monitor.cycle)}"
