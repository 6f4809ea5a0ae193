"""The closed catalogue of events. A type that is not here cannot be written."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

_encode = json.JSONEncoder(separators=(",", ":")).encode


class EventType(StrEnum):
    """Persisted events, each with a `sequence`; the comment says what makes one."""

    RUN_QUEUED = "run:queued"  # a run was started
    RUN_START = "run:start"  # first claim
    RUN_WAIT = "run:wait"  # unloaded; `data.reason`, `data.until`
    RUN_RESUME = "run:resume"  # claimed again after a wait or a pause
    RUN_PROGRESS = "run:progress"  # `current`, `total`, `message`
    RUN_PAUSE = "run:pause"  # `data.reason`
    RUN_COMPLETE = "run:complete"  # `output`
    RUN_FAIL = "run:fail"  # `error`
    RUN_CANCEL = "run:cancel"  # `actor`, `reason`
    RUN_RETRY = "run:retry"
    RUN_FORK = "run:fork"
    RUN_RECOVER = "run:recover"  # claimed from a worker that died; `claims`
    STEP_START = "step:start"
    STEP_COMPLETE = "step:complete"  # `output`, `frames`
    STEP_FAIL = "step:fail"  # last attempt failed: `error`, `frames`
    STEP_RETRY = "step:retry"  # another attempt follows: `error`, `delay_seconds`, `max_attempts`, `frames`
    STEP_CANCEL = "step:cancel"
    STEP_SKIP = "step:skip"  # the job passed it over: `reason`, `output`
    LOG_WRITE = "log:write"  # `level`, `message`, `data`
    CHECKPOINT_SAVE = "checkpoint:save"  # `number`, `size`
    SIGNAL_RECEIVE = "signal:receive"
    SIGNAL_CONSUME = "signal:consume"
    UPDATE_ACCEPT = "update:accept"
    UPDATE_COMPLETE = "update:complete"
    UPDATE_FAIL = "update:fail"
    STATE_SET = "state:set"
    STATE_PATCH = "state:patch"
    CHILD_START = "child:start"
    CHILD_END = "child:end"
    QUESTION_ASK = "question:ask"
    QUESTION_ANSWER = "question:answer"
    QUESTION_EXPIRE = "question:expire"
    QUESTION_WITHDRAW = "question:withdraw"
    QUESTION_DELEGATE = "question:delegate"
    QUESTION_COMMENT = "question:comment"
    QUESTION_REMIND = "question:remind"
    QUESTION_ESCALATE = "question:escalate"
    BUDGET_WARN = "budget:warn"  # a soft limit is passed: `limit`, `spent`, `soft`, `hard`
    BUDGET_EXCEED = "budget:exceed"  # a hard limit is reached, and the run parks
    BUDGET_GRANT = "budget:grant"  # `granted`, `limits`, `actor`
    BUDGET_DENY = "budget:deny"  # `limit`, `actor`, `reason`
    FLOW_TRANSITION = "flow:transition"
    FLOW_LOOP = "flow:loop"
    FLOW_LIMIT = "flow:limit"
    FLOW_BLOCKED = "flow:blocked"
    ARTIFACT_SAVE = "artifact:save"


class LiveType(StrEnum):
    """Delivered live, never stored."""

    STREAM = "stream"  # one emit
    STREAM_RESET = "stream:reset"  # the follower's word that what it sent of this step is discarded
    GAP = "gap"  # events before `data.first_sequence` are pruned


@dataclass(slots=True)
class EventDraft:
    """An event before its transition gives it a sequence. `data` holds JSON values only."""

    type: EventType
    data: dict[str, Any] = field(default_factory=dict)
    step: str | None = None
    attempt: int | None = None


@dataclass(frozen=True, slots=True)
class RunEvent:
    """An event as every transport carries it (the envelope).

    A stored event has `sequence`; a `stream` frame has `epoch` and `offset` in its place (`offset` counted per
    step, epoch and attempt, from 0); `stream:reset` has `epoch`, `attempt`; `gap` has only data.
    """

    type: str
    run_id: UUID
    data: dict[str, Any]
    step: str | None = None
    attempt: int | None = None
    sequence: int | None = None
    epoch: int | None = None
    offset: int | None = None
    created_at: datetime | None = None
    _json: list[str] = field(default_factory=list, init=False, repr=False, compare=False)

    def as_json(self) -> str:
        """The envelope in ASCII JSON on one line; encoded once, however many readers share the event."""
        if not self._json:
            self._json.append(_encode(self.as_envelope()))
        return self._json[0]

    def as_envelope(self) -> dict[str, Any]:
        """The envelope as JSON: `{"sequence", "type", "run_id", "step", "attempt", "data", ...}`."""
        place: dict[str, Any] = (
            {"sequence": self.sequence} if self.offset is None else {"epoch": self.epoch, "offset": self.offset}
        )
        at = self.created_at.isoformat().replace("+00:00", "Z") if self.created_at else None
        return place | {
            "type": str(self.type), "run_id": str(self.run_id), "step": self.step, "attempt": self.attempt,
            "data": self.data, "created_at": at,
        }  # fmt: skip
