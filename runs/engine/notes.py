"""Log lines and progress. What the job's own code wrote before a crash or a wait is not written again on replay."""

import json
from collections.abc import Callable
from typing import Any

from runs import clock
from runs.engine.attempts import find_attempt
from runs.engine.branches import current_branch
from runs.engine.payload import clean, dump, encode
from runs.engine.store.transitions import Change, Transition
from runs.errors import StepOutsideJob
from runs.events.types import EventDraft, EventType
from runs.models import Run


class Notes:
    """The log and progress events of one execution; any thread of the job.

    `check_open` raises once the run has left this process; `post` writes without waiting.
    """

    def __init__(self, run: Run, check_open: Callable[[], None], post: Callable[[Transition], None]) -> None:
        self._check_open = check_open
        self._post = post
        self._written: dict[str, int] = dict(run.notes)

    def write_log(self, level: str, message: str, data: dict[str, Any]) -> None:
        """Raises StorageError for data that cannot be stored."""
        payload = encode(data, "The data of a log line")
        line = {"level": level, "message": clean(str(message)), "data": payload.shown}
        self._write(EventType.LOG_WRITE, line, {}, payload.size)

    def write_progress(self, current: float, total: float | None, message: str) -> None:
        """Raises StorageError for a number that is none."""
        progress = {"current": current, "total": total, "message": clean(str(message), 1_000)}
        self._write(EventType.RUN_PROGRESS, progress, {"progress": dump(progress, "The progress")})

    def _write(self, type_: EventType, data: dict[str, Any], values: dict[str, Any], size: int = 0) -> None:
        self._check_open()
        attempt = find_attempt()
        if attempt is None:
            if not self._is_new(type_):
                return
            values = values | {"notes": json.dumps(self._written)}
        draft = EventDraft(type_, data, attempt.step if attempt else None, attempt.number if attempt else None)
        self._post(Transition(clock.now(), change=Change(values), events=(draft,), size=size))

    def _is_new(self, type_: EventType) -> bool:
        branch = current_branch()
        if branch is None:
            raise StepOutsideJob(type_)
        number = branch.next_note()
        if number <= self._written.get(branch.path, 0):
            return False
        self._written[branch.path] = number
        return True
