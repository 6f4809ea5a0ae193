"""Where the log of a turn is cut into protocol runs: where people are asked, and where the run ends. Pure.

A protocol run ends where nothing goes on until somebody answers. A run that waits for a timer, a signal or a child has
no such place: its protocol run stays open.
"""

from typing import Any

from runs.events.types import EventType

ENDS = (EventType.RUN_COMPLETE, EventType.RUN_CANCEL, EventType.RUN_FAIL)
_GOES_ON = (EventType.RUN_START, EventType.RUN_RESUME, EventType.RUN_RECOVER, EventType.RUN_RETRY)
_QUESTIONS = (
    EventType.QUESTION_ASK, EventType.QUESTION_ANSWER, EventType.QUESTION_EXPIRE, EventType.QUESTION_WITHDRAW,
)  # fmt: skip
RELEVANT = (*ENDS, *_GOES_ON, *_QUESTIONS, EventType.RUN_WAIT)
"""The only events that matter here."""


class Boundaries:
    """Fed with a run's events in order, it knows the sequences of the boundaries `passed`, and what came after."""

    def __init__(self) -> None:
        self.passed: list[int] = []
        self.has_gone_on = False  # after the last boundary
        self._missing: dict[str, int] = {}  # answers that each open question still takes

    @property
    def last(self) -> int:
        """0 before the first."""
        return self.passed[-1] if self.passed else 0

    def first_after(self, sequence: int) -> int | None:
        """Where a protocol run that began after `sequence` ended; None while it has not."""
        return next((one for one in self.passed if one > sequence), None)

    def feed(self, sequence: int, kind: str, data: dict[str, Any]) -> None:
        if kind in ENDS or (kind == EventType.RUN_WAIT and self._missing):
            self.passed.append(sequence)
            self.has_gone_on = False
        elif kind in _GOES_ON:
            self.has_gone_on = True
        elif kind in _QUESTIONS:
            self._feed_question(kind, str(data.get("question", "")), data)

    def _feed_question(self, kind: str, question: str, data: dict[str, Any]) -> None:
        if kind == EventType.QUESTION_ASK:  # also a changed one: what was answered before counts no more
            self._missing[question] = max(1, int(data.get("quorum") or 1))
            return
        left = self._missing.pop(question, 0)
        if kind == EventType.QUESTION_ANSWER and left > 1:
            self._missing[question] = left - 1
        else:
            self.has_gone_on = True  # it is queued in the same transaction, and no client may answer again
