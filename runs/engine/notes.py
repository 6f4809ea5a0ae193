"""What the job's own code says outside of steps: log lines, progress, changes of state.

What it said before a crash or a wait is not written again on replay: each branch counts its notes, and the run's row
holds how many of them are written.
"""

from collections.abc import Callable, Mapping
from typing import Any

from runs import clock
from runs.engine.attempts import find_attempt
from runs.engine.branches import Branch, current_branch
from runs.engine.payload import clean, dump, encode
from runs.engine.store.transitions import Change, Transition
from runs.errors import StepOutsideJob
from runs.events.types import EventDraft, EventType
from runs.models import Run


class Notes:
    """The notes of one execution; any thread of the job.

    `check_open` raises once the run has left this process; `post` writes without waiting.
    """

    def __init__(self, run: Run, check_open: Callable[[], None], post: Callable[[Transition], None]) -> None:
        self._check_open = check_open
        self._post = post
        self._written: dict[str, int] = dict(run.notes)

    def write_log(self, level: str, message: str, data: dict[str, Any]) -> None:
        """Raises StorageError for data that cannot be stored."""
        shown = encode(data, "The data of a log line").shown
        line = {"level": level, "message": clean(str(message)), "data": shown}
        self._write_anywhere(EventType.LOG_WRITE, line, {})

    def write_progress(self, current: float, total: float | None, message: str) -> None:
        """Raises StorageError for a number that is none."""
        progress = {"current": current, "total": total, "message": clean(str(message), 1_000)}
        self._write_anywhere(EventType.RUN_PROGRESS, progress, {"progress": dump(progress, "The progress")})

    def write_event(self, type_: EventType, data: Mapping[str, Any], step: str | None) -> None:
        """Raises StorageError for data that cannot be stored."""
        shown = encode(dict(data), f"The data of {type_}").shown
        self.write(EventDraft(type_, shown, step), {})

    def write(self, draft: EventDraft, values: dict[str, Any], state: str | None = None) -> None:
        """One note of the job's own code, unless an earlier execution has written it."""
        self._check_open()
        if note := self._next(draft.type):
            self._post(Transition(clock.now(), change=Change(values, notes=note), events=(draft,), state=state))

    def are_ahead_of(self, branch: Branch) -> bool:
        """Whether an earlier execution wrote more notes in this branch than this one has come to."""
        return self._written.get(branch.path, 0) > branch.notes

    def forget_ahead(self, branch: Branch) -> None:
        """The branch has come to a step that is still to be done: nothing was noted after it, or on the way to a
        failure that a retry does not take again."""
        if self.are_ahead_of(branch):
            self._written[branch.path] = branch.notes

    def _write_anywhere(self, type_: EventType, data: dict[str, Any], values: dict[str, Any]) -> None:
        attempt = find_attempt()
        if attempt is None:
            return self.write(EventDraft(type_, data), values)
        self._check_open()
        draft = EventDraft(type_, data, attempt.step, attempt.number)
        return self._post(Transition(clock.now(), change=Change(values), events=(draft,)))

    def _next(self, what: str) -> dict[str, int]:
        """The branch with the number of its note; empty if an earlier execution has written that one."""
        branch = current_branch()
        if branch is None:
            raise StepOutsideJob(what)
        number = branch.next_note()
        if number <= self._written.get(branch.path, 0):
            return {}
        self._written[branch.path] = number
        return {branch.path: number}
