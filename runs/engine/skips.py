"""`step.skip`: a step that the job passes over, recorded with the value that stands in for its result."""

import asyncio
from typing import Any

from runs import clock
from runs.engine.history import StepRecord
from runs.engine.payload import Payload, clean, encode
from runs.engine.ports import Kernel, through
from runs.engine.store.transitions import StepRow, Transition
from runs.errors import StorageError
from runs.events.types import EventDraft, EventType
from runs.models import StepStatus

MAX_REASON = 500


class Skip:
    """No function and no attempt: it is recorded in one transition."""

    kind = "skip"

    def __init__(self, kernel: Kernel, record: StepRecord, reason: str, value: Any) -> None:
        self._kernel = kernel
        self.record = record
        self._reason = clean(reason, MAX_REASON)
        self._value = value

    async def result(self) -> Any:
        """The recorded value, as JSON. Raises StorageError for one that cannot be stored."""
        return await through(self._kernel, self._result())

    async def _result(self) -> Any:
        if self.record.status in (StepStatus.SKIPPED, StepStatus.COMPLETED):  # a fork with another value completes it
            return self.record.output
        if self.record.status == StepStatus.CANCELLED:
            await self._kernel.hold()  # until the same code cancels it again
        payload = encode(self._value, self._where)
        try:
            await self._kernel.gate()
            problem = await self._kernel.commit(self._skipped(payload))
        except asyncio.CancelledError:
            if not self._kernel.sealed:
                await self._kernel.commit(self._cancelled(), finish=True)
            raise
        if problem is not None:
            raise StorageError(self._where, clean(str(problem), 500))
        self.record.status, self.record.output = StepStatus.SKIPPED, payload.value
        return payload.value

    @property
    def _where(self) -> str:
        return f"The value of the skipped step {self.record.name!r}"

    def _skipped(self, payload: Payload) -> Transition:
        data = {"reason": self._reason, "output": payload.shown}
        return self._end(EventDraft(EventType.STEP_SKIP, data, self.record.name), StepStatus.SKIPPED, payload)

    def _cancelled(self) -> Transition:
        self.record.status = StepStatus.CANCELLED
        return self._end(EventDraft(EventType.STEP_CANCEL, {}, self.record.name), StepStatus.CANCELLED, None)

    def _end(self, event: EventDraft, status: StepStatus, payload: Payload | None) -> Transition:
        record, now = self.record, clock.now()
        row = StepRow(
            self._kernel.run_id, record.name, record.kind, record.branch, record.position, status.value, 0, 0,
            payload.text if payload else None, payload.secrets_text if payload else "[]", None, now, now, None,
        )  # fmt: skip
        return Transition(now, events=(event,), steps=(row,))
