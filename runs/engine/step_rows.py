"""What one step's attempts write: their rows and their events."""

import json
from typing import Any

from runs import clock
from runs.engine.attempts import CurrentAttempt
from runs.engine.calls import StepCall
from runs.engine.history import StepRecord
from runs.engine.payload import Payload, dump
from runs.engine.ports import Kernel
from runs.engine.store.spent import NOTHING, spent_of
from runs.engine.store.transitions import AttemptRow, StepRow, Transition
from runs.events.types import EventDraft, EventType
from runs.models import AttemptOutcome, StepStatus


class StepRows:
    """One step in this execution, and the attempt that it is at."""

    def __init__(self, kernel: Kernel, call: StepCall, record: StepRecord) -> None:
        self._kernel = kernel
        self.call = call
        self.record = record
        self.attempt = CurrentAttempt(call.name, record.attempts)
        self._started_at = clock.now()
        self._start_is_written = False
        self._counted = NOTHING  # of what the attempt has used

    @property
    def where(self) -> str:
        return f"The result of step {self.call.name!r}"

    @property
    def is_settled(self) -> bool:
        return self.record.is_settled

    @property
    def has_begun(self) -> bool:
        return bool(self.record.status)

    @property
    def _frames_key(self) -> tuple[Any, str, int, int]:
        return self._kernel.run_id, self.call.name, self._kernel.token, self.attempt.number

    def open_frames(self) -> None:
        if self.call.kind == "stream":
            self._kernel.frames.open(*self._frames_key)

    def _start(self) -> dict[str, Any]:
        return {
            "events": (self._start_event(),),
            "steps": (self._row(StepStatus.RUNNING),),
            "attempts": (
                *self._lost_attempt(self._started_at), self._attempt_row(AttemptOutcome.OPEN, None, None),
            ),
        }  # fmt: skip

    def _start_event(self) -> EventDraft:
        return self._event(EventType.STEP_START, {"kind": self.call.kind, "epoch": self._kernel.token})

    def _unwritten_start(self) -> tuple[EventDraft, ...]:
        return () if self._start_is_written else (self._start_event(),)

    def _event(self, type_: EventType, data: dict[str, Any]) -> EventDraft:
        return EventDraft(type_, data, self.call.name, self.attempt.number or None)

    def _row(self, status: StepStatus, output: Payload | None = None) -> StepRow:
        record, ended = self.record, status not in (StepStatus.RUNNING, StepStatus.RETRYING)
        error = dump(record.error, "error") if record.error and status != StepStatus.COMPLETED else None
        return StepRow(
            self._kernel.run_id, record.name, record.kind, record.branch, record.position, status.value,
            record.attempts, record.failures, output.text if output else None,
            output.secrets_text if output else "[]", error, record.started_at, clock.now() if ended else None,
            record.wake_at if status == StepStatus.RETRYING else None,
        )  # fmt: skip

    def _attempt_row(self, outcome: AttemptOutcome, ended_at: Any, error: str | None) -> AttemptRow:
        usage = self.attempt.used
        return AttemptRow(
            self._kernel.run_id, self.call.name, self.attempt.number, self._kernel.token, outcome.value,
            self._started_at, ended_at, error, dump(usage, "usage") if usage else None,
        )  # fmt: skip

    # -- what it spends of a budget

    def _paid(self, transition: Transition) -> Transition:
        """With what it adds to the run's spending: what the row of its attempt says, and the step with its start."""
        purse = self._kernel.purse
        if purse is None:
            return transition
        used = self._counted
        if any(row.number == self.attempt.number for row in transition.attempts):
            used = spent_of(self.attempt.used)
        begins = any(event.type is EventType.STEP_START for event in transition.events)
        spent = used.minus(self._counted)._replace(steps=int(begins and self.attempt.number == 1))
        if spent == NOTHING:
            return transition
        self._counted = used
        purse.add(spent)
        return transition._replace(spent=spent)

    def _take_back(self, transition: Transition) -> None:
        """It was not written."""
        if transition.spent is not None and self._kernel.purse is not None:
            money = transition.spent._replace(steps=0)
            self._counted = self._counted.minus(money)
            self._kernel.purse.add(NOTHING.minus(money))

    async def _pay(self, transition: Transition) -> Exception | None:
        """Write it with what it spends; the error of a value that cannot be stored."""
        paid = self._paid(transition)
        problem = await self._kernel.commit(paid)
        if problem is not None:
            self._take_back(paid)
        return problem

    async def _keep(self, checkpoint: Transition) -> Exception | None:
        """A checkpoint keeps what the attempt has used so far: its worker may die."""
        if self.attempt.used:
            checkpoint = checkpoint._replace(attempts=(self._attempt_row(AttemptOutcome.OPEN, None, None),))
        return await self._pay(checkpoint)

    def _lost_attempt(self, now: Any) -> tuple[AttemptRow, ...]:
        lost = self.record.open_attempt
        if lost is None:
            return ()
        usage = json.dumps(lost.usage) if lost.usage else None
        row = (self._kernel.run_id, lost.step_name, lost.number, lost.epoch, AttemptOutcome.LOST.value)
        return (AttemptRow(*row, lost.started_at, now, None, usage),)
