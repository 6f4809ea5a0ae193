"""How a job waits for the end of its question: one wait after another, each until the next timer."""

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel

from hitl import asking, timers
from runs import clock
from runs.errors import SignalTimeout
from runs.jobs import StepContext


class Opened(BaseModel):
    """What the step that asked recorded: a replay or a new deploy does not move its times."""

    id: str
    deadline: datetime | None = None
    remind_every: timedelta | None = None
    remind_at: datetime | None = None
    escalate_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """The next thing that time does to the question."""

    at: datetime
    what: Literal["deadline", "escalation", "reminder"]


async def wait_for_end(
    step: StepContext, label: str, opened: Opened, at_deadline: dict[str, Any] | None
) -> dict[str, Any]:
    """Until the question's row is closed; a signal that somebody else sent under its name is passed over."""
    alarms = Alarms(opened)
    for place in itertools.count(1):
        again = "" if place == 1 else f" {place}"
        alarm = alarms.next()
        late = await _is_late(step, opened.id, f"{label}: answer{again}", alarm)
        if late and alarm is not None and alarm.what != "deadline":
            await alarms.ring(step, label, alarm)
            continue
        ended = await step.transaction(f"{label}: outcome{again}", asking.settle, opened.id, at_deadline, late)
        if ended is not None:
            return ended
    raise AssertionError("the loop returns")


async def _is_late(step: StepContext, question_id: str, name: str, alarm: Alarm | None) -> bool:
    """Did the alarm come before a signal of the question?"""
    left = None if alarm is None else max(alarm.at - clock.now(), timedelta(0))
    try:
        await step.wait_for_signal(f"question:{question_id}", name=name, timeout=left)
    except SignalTimeout:
        return True
    return False


class Alarms:
    """What is still to come. It depends on recorded values alone: a replay meets the same alarms in the same order."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._remind_at = opened.remind_at
        self._escalate_at = opened.escalate_at
        self._reminders = 0

    def next(self) -> Alarm | None:
        """The earliest; of several at one time the deadline, then the escalation."""
        coming: list[Alarm] = []
        if self._opened.deadline is not None:
            coming.append(Alarm(self._opened.deadline, "deadline"))
        if self._escalate_at is not None:
            coming.append(Alarm(self._escalate_at, "escalation"))
        if self._remind_at is not None:
            coming.append(Alarm(self._remind_at, "reminder"))
        return min(coming, key=lambda alarm: alarm.at, default=None)

    async def ring(self, step: StepContext, label: str, alarm: Alarm) -> None:
        """Escalate or remind, as a step of the run."""
        if alarm.what == "escalation":
            await step.transaction(f"{label}: escalation", timers.escalate, self._opened.id)
            self._escalate_at = None
            return
        assert self._opened.remind_every is not None
        self._reminders += 1
        name = f"{label}: reminder {self._reminders}"
        # from now on, not from when it was due: after a long stop one reminder is enough
        self._remind_at = await step.transaction(name, timers.remind, self._opened.id, self._opened.remind_every)
