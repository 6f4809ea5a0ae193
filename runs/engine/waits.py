"""Steps without a function: each waits durably for something, and records it when it is there."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from runs import clock
from runs.engine.attempts import CurrentAttempt
from runs.engine.calls import StepCall
from runs.engine.history import StepRecord
from runs.engine.mailbox import Letter, MailArrived
from runs.engine.payload import clean, dump
from runs.engine.ports import Kernel, through
from runs.engine.store.transitions import Change, LetterRow, StepRow, Transition
from runs.errors import InvalidSignal, RunsError, SignalTimeout
from runs.events.types import EventDraft, EventType
from runs.models import StepStatus


@dataclass(frozen=True)
class Arrived:
    """What ended a wait: `value` is JSON and goes into the row, `shown` into the event."""

    value: Any = None
    events: tuple[EventDraft, ...] = ()
    letters: tuple[LetterRow, ...] = ()
    error: dict[str, Any] | None = None
    change: Change = field(default_factory=Change)


class DurableWait:
    """A wait as a step of its run. Subclasses say what begins it, what it looks for, and what it gives."""

    kind = ""
    on_mail = False

    def __init__(self, kernel: Kernel, record: StepRecord) -> None:
        self._kernel = kernel
        self.record = record
        # the kernel keeps steps by their call and attempt; a wait has neither a function nor attempts
        self.call = StepCall.of_wait(record.name, self.kind)
        self.attempt = CurrentAttempt(record.name, 1)
        self._letter: Letter | None = None

    @property
    def is_settled(self) -> bool:
        return self.record.is_settled

    @property
    def has_begun(self) -> bool:
        return bool(self.record.status)

    def open_frames(self) -> None:
        return None

    async def result(self) -> Any:
        """The recorded value, or the one that arrives. Raises what the wait failed with."""
        return await through(self._kernel, self._result())

    async def _result(self) -> Any:
        if self.record.status == StepStatus.COMPLETED:
            return self.give(self.record.output)
        if self.record.status == StepStatus.FAILED:
            raise self._failed()
        if self.record.status == StepStatus.CANCELLED:
            await self._kernel.hold()
        self.record.call_off = self.cancellation
        try:
            self.enter()
            await self._kernel.gate()
            if self.record.status in ("", StepStatus.RETRYING):
                await self._begin()
            return await self._until_it_arrives()
        except asyncio.CancelledError:
            if not self._kernel.sealed:
                await self._kernel.commit(self.cancellation(), finish=True)
            raise
        finally:
            self.leave()

    def _failed(self) -> RunsError:
        error = self.failure(self.record.error or {})
        error.failed_steps = (self.record.name,)
        return error

    async def _begin(self) -> None:
        now = clock.now()
        self.record.status = StepStatus.RUNNING
        self.record.started_at = now
        self.record.attempts = 1
        start = EventDraft(EventType.STEP_START, {"kind": self.kind} | self.describe(), self.record.name, 1)
        await self._kernel.commit(Transition(now, events=(start, *self.first_events()), steps=(self._row(),)))

    async def _until_it_arrives(self) -> Any:
        while True:
            await self._kernel.gate()
            arrived = await self.look()
            if arrived is not None and await self._record(arrived):
                break
            if arrived is None:
                await self._kernel.park(self.record.wake_at, self.reason, self, self.on_mail)
        if self.record.status == StepStatus.FAILED:
            raise self._failed()
        return self.give(self.record.output)

    async def _record(self, arrived: Arrived) -> bool:
        """False if something arrived meanwhile that has to be looked at first."""
        failed = arrived.error is not None
        row = self._row(StepStatus.FAILED if failed else StepStatus.COMPLETED, arrived)
        data = {"error": arrived.error} if failed else {"output": arrived.value}
        end = EventDraft(EventType.STEP_FAIL if failed else EventType.STEP_COMPLETE, data, self.record.name, 1)
        transition = Transition(
            clock.now(), change=arrived.change, events=(*arrived.events, end), steps=(row,), letters=arrived.letters
        )
        problem = await self._kernel.commit(transition)
        if isinstance(problem, MailArrived):
            return False
        if problem is not None:
            raise problem
        self.record.status = StepStatus.FAILED if failed else StepStatus.COMPLETED
        self.record.output, self.record.error = arrived.value, arrived.error
        return True

    def cancellation(self) -> Transition:
        """Ends the wait as cancelled; a letter that it took is the next one's again."""
        self.record.status = StepStatus.CANCELLED
        event = EventDraft(EventType.STEP_CANCEL, {}, self.record.name, 1)
        letters: tuple[LetterRow, ...] = ()
        if self._letter is not None:
            letters = (LetterRow(self._kernel.run_id, self._letter.id, None, None),)
            self._kernel.mailbox.put_back(self._letter)
            self._letter = None
        return Transition(clock.now(), events=(event,), steps=(self._row(StepStatus.CANCELLED),), letters=letters)

    def _row(self, status: StepStatus = StepStatus.RUNNING, arrived: Arrived | None = None) -> StepRow:
        record = self.record
        value = None if arrived is None or arrived.value is None else dump(arrived.value, f"Step {record.name!r}")
        error = dump(arrived.error, "error") if arrived is not None and arrived.error is not None else None
        waiting = arrived is None
        return StepRow(
            self._kernel.run_id, record.name, record.kind, record.branch, record.position, status.value, 1,
            int(error is not None), value or (self.kept if waiting else None), "[]", error, record.started_at,
            None if status is StepStatus.RUNNING else clock.now(), record.wake_at if waiting else None,
        )  # fmt: skip

    # -- what a subclass says

    reason = ""

    def enter(self) -> None:
        """The call begins to wait: it has its place among the others now."""

    def leave(self) -> None:
        """The call is over."""

    @property
    def kept(self) -> str | None:
        """JSON text that the row holds while it waits."""
        return None

    def describe(self) -> dict[str, Any]:
        """What its step:start says besides the kind."""
        return {}

    def first_events(self) -> tuple[EventDraft, ...]:
        """What is written with its step:start."""
        return ()

    async def look(self) -> Arrived | None:
        """What has arrived, if it has."""
        raise AssertionError(f"{type(self).__name__} does not say what it looks for")

    def give(self, value: Any) -> Any:
        """What the call returns for the recorded value."""
        return value

    def failure(self, error: dict[str, Any]) -> RunsError:
        """The same error live and on replay."""
        raise AssertionError(f"{type(self).__name__} cannot fail")


class Sleep(DurableWait):
    """Until a time, for years if need be."""

    kind = "sleep"

    def __init__(self, kernel: Kernel, record: StepRecord, until: datetime) -> None:
        super().__init__(kernel, record)
        self.record.wake_at = self.record.wake_at or until
        self.reason = f"sleep {record.name}"

    def describe(self) -> dict[str, Any]:
        return {"until": _iso(self.record.wake_at)}

    async def look(self) -> Arrived | None:
        assert self.record.wake_at is not None
        return Arrived() if clock.now() >= self.record.wake_at else None


@dataclass(frozen=True, slots=True)
class ReceivedSignal:
    """What a wait for one of several signals gives."""

    name: str
    payload: Any


class SignalWait(DurableWait):
    """For the oldest unconsumed signal of one of its names, or until its deadline."""

    kind = "signal"
    on_mail = True

    def __init__(
        self, kernel: Kernel, record: StepRecord, names: tuple[str, ...], timeout: timedelta | None, type_: Any
    ) -> None:
        super().__init__(kernel, record)
        self.names = names
        self._type = type_
        if timeout is not None and record.status in ("", StepStatus.RETRYING):
            self.record.wake_at = clock.now() + timeout
        self.reason = f"signal {' or '.join(names)}"

    def describe(self) -> dict[str, Any]:
        return {"signals": list(self.names), "until": _iso(self.record.wake_at)}

    def enter(self) -> None:
        self._kernel.mailbox.join(self)

    def leave(self) -> None:
        self._kernel.mailbox.leave(self)

    async def look(self) -> Arrived | None:
        await self._kernel.mailbox.look()
        self._letter = self._kernel.mailbox.take(self)
        if self._letter is not None:
            return self._consumed(self._letter)
        if self.record.wake_at is not None and clock.now() >= self.record.wake_at:
            return self._timed_out()
        return None

    def _consumed(self, letter: Letter) -> Arrived:
        name, value = self.record.name, {"name": letter.name, "payload": letter.payload}
        event = EventDraft(EventType.SIGNAL_CONSUME, {"signal": letter.name, "id": letter.id}, name, 1)
        row = LetterRow(self._kernel.run_id, letter.id, name, clock.now())
        error = self._misfit(letter)
        return Arrived(None if error else value, (event,), (row,), error)

    def _misfit(self, letter: Letter) -> dict[str, Any] | None:
        try:
            self._parse(letter.payload)
        except ValidationError as exc:
            return {"type": "InvalidSignal", "message": clean(str(exc), 2_000), "signal": letter.name}
        return None

    def _timed_out(self) -> Arrived:
        # competes with a signal under the row's lock: it counts only if nothing came since the last look
        error = {"type": "SignalTimeout", "message": " or ".join(self.names)}
        return Arrived(error=error, change=Change(expect_inbox=self._kernel.mailbox.inbox))

    def _parse(self, payload: Any) -> Any:
        return payload if self._type is None else TypeAdapter(self._type).validate_json(json.dumps(payload))

    def give(self, value: Any) -> Any:
        payload = self._parse(value["payload"])
        return payload if len(self.names) == 1 else ReceivedSignal(value["name"], payload)

    def failure(self, error: dict[str, Any]) -> RunsError:
        if error.get("type") == "SignalTimeout":
            return SignalTimeout(self.names)
        return InvalidSignal(str(error.get("signal")), str(error.get("message")))


def _iso(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at else None
