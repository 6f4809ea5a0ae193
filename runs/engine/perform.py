"""One step of a run: from the call to its recorded result, over as many attempts as its policy allows."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from runs import clock
from runs.engine import attempts, branches
from runs.engine.attempts import CurrentAttempt
from runs.engine.calls import StepCall
from runs.engine.history import StepRecord
from runs.engine.invocation import Invocation
from runs.engine.payload import Payload, clean, decode, describe_error, encode, typed
from runs.engine.ports import Kernel
from runs.engine.step_rows import StepRows
from runs.engine.store.spent import NOTHING
from runs.engine.store.transitions import StepRow, Transition
from runs.errors import BudgetExceeded, InvalidStepName, RunsError, StepFailed, StorageError, Suspended
from runs.events.types import EventDraft, EventType
from runs.models import AttemptOutcome, StepStatus

QUICK_SECONDS = 0.005
"""A step that ends sooner costs one transition: its start and its end are written together."""


def check_name(name: object) -> str:
    """Raises InvalidStepName for what cannot name a step."""
    if not isinstance(name, str) or not 1 <= len(name) <= 200 or not name.isprintable():
        raise InvalidStepName(name)
    return name


class Performance(StepRows):
    """The attempts of one step in this execution."""

    def __init__(self, kernel: Kernel, call: StepCall, record: StepRecord) -> None:
        super().__init__(kernel, call, record)
        self._is_under_way = False  # an attempt was begun, and its end is not written
        self._quick: asyncio.TimerHandle | None = None
        self._completed: Transition | None = None  # of a transaction that may yet be rolled back

    async def result(self) -> Any:
        """The step's value: recorded, or from an attempt now. Raises StepFailed."""
        if self.record.status == StepStatus.COMPLETED:
            return decode(self.record.output, self.call.function, self.where)
        if self.record.status == StepStatus.FAILED:
            raise self._recorded_failure(self.record.error or {})
        if self.record.status == StepStatus.CANCELLED:
            await self._kernel.hold()  # until the same code cancels it again
        return await self._attempt_until_settled()

    def _recorded_failure(self, error: dict[str, Any]) -> RunsError:
        kind = BudgetExceeded if error.get("code") == BudgetExceeded.code else StepFailed
        return kind(self.call.name, error)

    async def _attempt_until_settled(self) -> Any:
        while True:
            await self._reach_boundary()
            value = await self._attempt_once()
            if self.record.status == StepStatus.COMPLETED:
                return value

    async def _reach_boundary(self) -> None:
        """Wait for the time of the next attempt. The job's own code may cancel the call here too."""
        try:
            if self.record.status == StepStatus.RETRYING:
                await self._kernel.park(self.record.wake_at, f"retry of step {self.call.name}", self)
            await self._kernel.gate()
            if self._kernel.purse is not None:
                await self._kernel.purse.admit(self, is_new=self.record.attempts == 0)
                await self._kernel.gate()
        except asyncio.CancelledError:
            if not self._kernel.sealed:
                await self._kernel.commit(self.cancellation(), finish=True)
            raise
        except BudgetExceeded as exc:
            await self._refuse(exc)
            raise

    async def _refuse(self, exc: BudgetExceeded) -> None:
        """No attempt began, and none will: a replay meets the same error."""
        self.record.started_at = self.record.started_at or clock.now()
        self.record.error = exc.error
        end = self._event(EventType.STEP_FAIL, {"error": exc.error})
        await self._kernel.commit(Transition(clock.now(), events=(end,), steps=(self._row(StepStatus.FAILED),)))
        self.record.status = StepStatus.FAILED

    async def _attempt_once(self) -> Any:
        self.record.attempts += 1
        self.attempt = CurrentAttempt(self.call.name, self.record.attempts)
        self._counted = NOTHING
        self._started_at = clock.now()
        self.record.started_at = self.record.started_at or self._started_at
        self._start_is_written = False
        self._is_under_way = True
        self._kernel.begin(self)
        try:
            return await self._carry_out()
        except asyncio.CancelledError:
            self.attempt.stop()
            if not self._kernel.sealed:
                await self._kernel.commit(self.cancellation(), finish=True)
            raise
        finally:
            self._forget_quick()
            self._kernel.end(self)

    async def _carry_out(self) -> Any:
        await self._announce()
        if self.call.kind == "transaction":
            return await self._carry_out_in_transaction()
        try:
            value = await Invocation(self._kernel, self.call, self.record, self.attempt, self._keep).result()
            payload = encode(value, self.where)
            value = typed(value, payload, self.call.function, self.where)
        except (Suspended, asyncio.CancelledError):
            raise
        except BaseException as exc:
            return await self._fail(exc)
        return await self._complete(value, payload)

    async def _carry_out_in_transaction(self) -> Any:
        self._forget_quick()
        try:
            value = await self._kernel.in_transaction(self._bare_call, self._completion)
        except (Suspended, asyncio.CancelledError):
            raise
        except BaseException as exc:
            self._uncomplete()
            return await self._fail(exc)
        self._is_under_way = False
        self.record.status = StepStatus.COMPLETED
        return value

    def _bare_call(self) -> tuple[Any, Payload]:
        """In a thread, inside the transaction: no step, emit or checkpoint may be used there."""
        in_step = branches.enter(None)
        as_attempt = attempts.enter(self.attempt)
        try:
            value = self.call.function(*self.call.args, **self.call.kwargs)
        finally:
            attempts.leave(as_attempt)
            branches.leave(in_step)
        payload = encode(value, self.where)
        return typed(value, payload, self.call.function, self.where), payload

    def _completion(self, payload: Payload) -> Transition:
        """In a thread; once more for each time that the transaction is begun anew."""
        self._uncomplete()
        row = self._row(StepStatus.COMPLETED, output=payload)
        end = self._ending(EventType.STEP_COMPLETE, {"output": payload.shown}, row, AttemptOutcome.COMPLETED)
        self._completed = self._paid(end)
        return self._completed

    def _uncomplete(self) -> None:
        completed, self._completed = self._completed, None
        if completed is not None:
            self._take_back(completed)

    async def _announce(self) -> None:
        """Commit the start first where a crash in the call must leave a trace; otherwise only if it takes long."""
        needs_trace = self.call.kind == "stream" or self.record.open_attempt or self.record.checkpoints
        if self._kernel.is_cautious or needs_trace:
            self._start_is_written = True
            await self._kernel.commit(self._paid(Transition(clock.now(), **self._start())))
            self.record.open_attempt = None
            await self._kernel.be_sure()  # the answer may have taken longer than the lease
        else:
            self._quick = self._kernel.call_later(QUICK_SECONDS, self._write_start)

    def _write_start(self) -> None:
        if not self._kernel.sealed:
            self._start_is_written = True
            self._kernel.post(self._paid(Transition(clock.now(), **self._start())))

    def _forget_quick(self) -> None:
        if self._quick is not None:
            self._quick.cancel()
            self._quick = None

    # -- its ends

    async def _complete(self, value: Any, payload: Payload) -> Any:
        data = {"output": payload.shown} | await self._finish_frames()
        row = self._row(StepStatus.COMPLETED, output=payload)
        problem = await self._settle(EventType.STEP_COMPLETE, data, row, AttemptOutcome.COMPLETED)
        if problem is not None:
            return await self._fail(StorageError(self.where, clean(str(problem), 500)))
        self.record.status = StepStatus.COMPLETED
        return value

    async def _fail(self, exc: BaseException) -> None:
        error = describe_error(exc)
        self.record.failures += 1
        self.record.error = error
        retries = self.call.policy.retries
        data = {"error": error} | await self._finish_frames()
        if retries.allows(self.record.failures, exc) and not isinstance(exc, StorageError):
            return await self._schedule_retry(data, exc)
        await self._settle(EventType.STEP_FAIL, data, self._row(StepStatus.FAILED), AttemptOutcome.FAILED)
        self.record.status = StepStatus.FAILED
        raise StepFailed(self.call.name, error) from exc

    async def _schedule_retry(self, data: dict[str, Any], exc: BaseException) -> None:
        delay = self.call.policy.retries.delay_seconds(self.record.failures, exc)
        self.record.wake_at = clock.now() + timedelta(seconds=delay)
        data |= {"delay_seconds": round(delay, 3), "max_attempts": self.call.policy.retries.max_attempts}
        self._is_under_way = False  # who cancels during the write cancels the step, and not an attempt that has failed
        await self._settle(EventType.STEP_RETRY, data, self._row(StepStatus.RETRYING), AttemptOutcome.FAILED)
        self.record.status = StepStatus.RETRYING

    async def _settle(
        self, type_: EventType, data: dict[str, Any], row: StepRow, outcome: AttemptOutcome
    ) -> Exception | None:
        self._forget_quick()
        start_was_written = self._start_is_written
        transition = self._ending(type_, data, row, outcome)
        self._start_is_written = True
        problem = await self._pay(transition)
        if problem is not None:
            self._start_is_written = start_was_written
        return problem

    def _ending(self, type_: EventType, data: dict[str, Any], row: StepRow, outcome: AttemptOutcome) -> Transition:
        """The end of this attempt, with its start where that was not written."""
        now = clock.now()
        events = (*self._unwritten_start(), self._event(type_, data))
        error = row.error if outcome is AttemptOutcome.FAILED else None
        rows = self._lost_attempt(now)
        if outcome is not AttemptOutcome.COMPLETED or not self._is_told_by_step(now):
            rows = (*rows, self._attempt_row(outcome, now, error))
        done = row.status == StepStatus.COMPLETED and self.record.checkpoints
        forget = (self.call.name,) if done else ()
        return Transition(now, events=events, steps=(row,), attempts=rows, forget_checkpoints=forget)

    def _is_told_by_step(self, ended_at: datetime) -> bool:
        """A first attempt that succeeds at once: its row would only repeat the step's (ADR 10)."""
        at_once = not self._start_is_written and ended_at - self._started_at < timedelta(seconds=QUICK_SECONDS)
        return self.attempt.number == 1 and at_once and self.attempt.used is None

    def cancellation(self) -> Transition:
        """The transition that ends this step as cancelled, also over a result that nobody received."""
        self._forget_quick()  # a start that is written after its end would leave the step running
        now = clock.now()
        self.record.status = StepStatus.CANCELLED
        if self.call.kind == "stream":
            self._kernel.frames.close(*self._frames_key)
        start: tuple[EventDraft, ...] = ()
        rows = self._lost_attempt(now)
        if self._is_under_way:
            start, rows = self._unwritten_start(), (*rows, self._attempt_row(AttemptOutcome.CANCELLED, now, None))
        events = (*start, self._event(EventType.STEP_CANCEL, {}))
        row = self._row(StepStatus.CANCELLED)
        return self._paid(Transition(now, events=events, steps=(row,), attempts=rows))

    async def _finish_frames(self) -> dict[str, int]:
        """Frames leave before their step's end is handed to the writer."""
        if self.call.kind != "stream":
            return {}
        in_no_branch = branches.enter(None)  # a bus may make tasks, and a replay sends no frames
        try:
            await self._kernel.frames.flush(self._kernel.run_id)
        finally:
            branches.leave(in_no_branch)
        count = self._kernel.frames.count(*self._frames_key)
        self._kernel.frames.close(*self._frames_key)
        return {"frames": count}
