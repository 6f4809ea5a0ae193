"""A job's log as the lines of its stream. Pure: the same log gives the same lines, wherever a reader begins.

A line is numbered by counting all lines before it, so a reader that comes back has the log folded again up to the
number that it holds. Frames are passing: they have the number of the line before them.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flows.pipelines.naming import Place, place_of
from flows.pipelines.progress import ENDED, StepProgress, Steps, describe_failure, read_result, updated
from flows.pipelines.results import items_of
from flows.pipelines.spec import PipelineDef
from flows.pipelines.wire import (
    JobError,
    JobResult,
    LineEvent,
    PipelineJob,
    StepChunk,
    StepState,
    StreamReset,
)
from runs.events.types import EventType, LiveType, RunEvent

Told = tuple[LineEvent, Any]
BESIDE = ("copy", "question")
"""Parts of a step that are no work of its own: it has not begun by them, and may have ended before."""
LIVE: frozenset[LineEvent] = frozenset({"provider_chunk", "stream_reset"})
_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Line:
    """`data` is one of the models of `wire`, or the JSON of a result item."""

    seq: int
    event: LineEvent
    job_id: str
    data: Any

    @property
    def is_live(self) -> bool:
        return self.event in LIVE

    def as_json(self) -> dict[str, Any]:
        data = self.data if isinstance(self.data, dict) else self.data.as_json()
        return {"seq": self.seq, "event": self.event, "job_id": self.job_id, "data": data}

    def encode(self) -> bytes:
        """ASCII JSON and a newline."""
        return _encode(self.as_json()).encode("ascii") + b"\n"


class Lines:
    """The fold of one job. `job` is how it was when it was queued."""

    def __init__(self, job: PipelineJob, definition: PipelineDef | None) -> None:
        self._first = job
        self._job = updated(job, input=None, result=None, error=None, reason="", status="queued")
        self._steps = Steps(definition, (job.input or {}).get("sources") or ())
        self._result: JobResult | None = None
        self._was_started = False
        self.seq = 0
        """The number of the last line that is kept."""
        self.sequence = 0
        """The number of the last event that was taken."""

    @property
    def has_ended(self) -> bool:
        return self._job.status in ("succeeded", "failed", "cancelled")

    def take(self, event: RunEvent) -> list[Line]:
        """The lines that an event makes, in order; most events make none."""
        if event.sequence is None:
            return [Line(self.seq, name, self._job.id, data) for name, data in self._frame(event)]
        self.sequence = event.sequence
        if event.created_at is not None:
            self._job = updated(self._job, updated_at=event.created_at)
        return [self._numbered(name, data) for name, data in self._told(event)]

    def skip(self, events: Iterable[RunEvent], after: int) -> list[Line] | None:
        """Take events up to the one that makes line `after`: what that event makes beyond it, None if there is none."""
        for event in events:
            told = self.take(event)
            if self.seq >= after:
                return [line for line in told if line.seq > after]
        return None

    def finish(self) -> Line:
        """The last line, once the log of an ended job is read: with the input and the result."""
        job = updated(self._as_job(), input=self._first.input, result=self._result)
        return Line(self.seq + 1, "stream_finished", self._job.id, job)

    def _numbered(self, name: LineEvent, data: Any) -> Line:
        self.seq += 1
        return Line(self.seq, name, self._job.id, data)

    def _as_job(self, **values: Any) -> PipelineJob:
        return updated(self._job, step_executions=self._steps.executions(), **values)

    # -- events ---------------------------------------------------------------------------------------------------

    def _told(self, event: RunEvent) -> Iterator[Told]:
        kind, place = event.type.partition(":")[0], place_of(event.step or "")
        if kind == "run":
            yield from self._of_run(event)
        elif kind == "step" and place is not None and place.step_id in self._steps:
            yield from self._of_step(event, place, self._steps[place.step_id])

    def _of_run(self, event: RunEvent) -> Iterator[Told]:
        match event.type:
            case EventType.RUN_QUEUED:
                yield "job_queued", self._as_job(input=self._first.input)
            case EventType.RUN_START:
                yield from self._start()
            case EventType.RUN_WAIT | EventType.RUN_PAUSE:
                yield from self._status("running", str(event.data.get("reason") or "")[:200])
            case EventType.RUN_RESUME:
                yield from self._status("running")
            case EventType.RUN_RETRY:
                self._job = updated(self._job, error=None)
                self._steps.reopen()
                yield from self._status("queued")
            case EventType.RUN_COMPLETE:
                yield from self._complete(event)
            case EventType.RUN_FAIL:
                yield from self._fail(event)
            case EventType.RUN_CANCEL:
                yield from self._cancel(event)

    def _start(self) -> Iterator[Told]:
        self._job = updated(self._job, status="running")
        if not self._was_started:
            self._was_started = True
            yield "job_started", self._as_job()
        yield "job_status", self._as_job()

    def _status(self, status: str, reason: str = "") -> Iterator[Told]:
        self._job = updated(self._job, status=status, reason=reason)
        yield "job_status", self._as_job()

    def _complete(self, event: RunEvent) -> Iterator[Told]:
        self._result = read_result(event.data.get("output"))
        yield from self._end_open_steps("success", event)
        yield from self._status("succeeded")
        yield "job_completed", self._as_job(result=self._result)

    def _fail(self, event: RunEvent) -> Iterator[Told]:
        error = event.data.get("error") or {}
        failed = {place.step_id for name in error.get("steps") or () if (place := place_of(str(name)))}
        for step in self._steps.values():
            if step.step.id in failed and not step.has_ended:
                step.error = describe_failure(error)
                yield from self._end(step, "failed", event)
        yield from self._end_open_steps("cancelled", event)
        self._job = updated(self._job, error=describe_failure(error))
        yield from self._status("failed")
        yield "job_failed", self._as_job()

    def _cancel(self, event: RunEvent) -> Iterator[Told]:
        yield from self._end_open_steps("cancelled", event, even_pending=True)
        reason = str(event.data.get("reason") or "cancelled by user")
        self._job = updated(self._job, error=JobError(code="cancelled", message=reason))
        yield from self._status("cancelled")
        yield "job_cancelled", self._as_job()

    def _end_open_steps(self, status: StepState, event: RunEvent, even_pending: bool = False) -> Iterator[Told]:
        for step in self._steps.values():
            if step.status == "running" or (even_pending and step.status == "pending"):
                yield from self._end(step, status, event)

    # -- steps ----------------------------------------------------------------------------------------------------

    def _of_step(self, event: RunEvent, place: Place, step: StepProgress) -> Iterator[Told]:
        if place.part.startswith(BESIDE) or (step.has_ended and event.type != EventType.STEP_COMPLETE):
            return
        match event.type:
            case EventType.STEP_START:
                yield from self._begin(step, place, event)
            case EventType.STEP_COMPLETE if place.is_result:
                yield from self._begin(step, place, event)
                yield from self._record(step, place, event)
            case EventType.STEP_SKIP if place.is_result:
                yield from self._skip(step, place, event)
            case EventType.STEP_FAIL if place.is_result:
                yield from self._begin(step, place, event)
                yield from self._shard_failed(step, place, event)

    def _begin(self, step: StepProgress, place: Place, event: RunEvent) -> Iterator[Told]:
        if place.index not in step.shards and not step.has_ended:
            step.shards[place.index] = "running"
        if step.status == "pending":
            step.status, step.started_at = "running", step.started_at or event.created_at
            yield "step_started", step.as_execution()

    def _record(self, step: StepProgress, place: Place, event: RunEvent) -> Iterator[Told]:
        step.shards[place.index] = "success"
        yield from self._items(step, place, event)
        yield from self._end_if_whole(step, event)

    def _items(self, step: StepProgress, place: Place, event: RunEvent) -> Iterator[Told]:
        items = items_of(event.data.get("output"))
        step.heads[place.index] = [{name: item.get(name) for name in ("shard_key", "label")} for item in items]
        if step.exports:
            yield from (("item_completed", item) for item in items)

    def _shard_failed(self, step: StepProgress, place: Place, event: RunEvent) -> Iterator[Told]:
        step.shards[place.index] = "failed"
        step.error = describe_failure((event.data.get("error") or {}) | {"step": event.step})
        if not step.skips_failures:
            yield from self._end(step, "failed", event)
        else:
            yield from self._end_if_whole(step, event)

    def _end_if_whole(self, step: StepProgress, event: RunEvent) -> Iterator[Told]:
        if not step.has_ended and self._steps.is_whole(step.step.id):
            failed = set(step.shards.values()) == {"failed"}
            yield from self._end(step, "failed" if failed else "success", event)

    def _skip(self, step: StepProgress, place: Place, event: RunEvent) -> Iterator[Told]:
        if place.index is not None:
            yield from self._begin(step, place, event)
            yield from self._record(step, place, event)
            return
        yield from self._items(step, place, event)
        yield from self._end(step, "skipped", event)

    def _end(self, step: StepProgress, status: StepState, event: RunEvent) -> Iterator[Told]:
        step.end(status, event.created_at)
        yield _STEP_LINES[status], step.as_execution()

    # -- frames ---------------------------------------------------------------------------------------------------

    def _frame(self, event: RunEvent) -> Iterator[Told]:
        place = place_of(event.step or "")
        if place is None or place.step_id not in self._steps:
            return
        where = {"step_id": place.step_id, "shard_key": self._steps.shard_key(place), "attempt": event.attempt or 1}
        if event.type == LiveType.STREAM_RESET:
            yield "stream_reset", StreamReset(**where)
        elif event.type == LiveType.STREAM and (text := _text_of(event.data)) is not None:
            yield "provider_chunk", StepChunk(**where, index=event.offset or 0, content=text)


_STEP_LINES: dict[StepState, LineEvent] = {
    "success": "step_completed", "skipped": "step_completed", "failed": "step_failed", "cancelled": "step_cancelled",
}  # fmt: skip
assert _STEP_LINES.keys() == ENDED


def _text_of(frame: Any) -> str | None:
    """A model's text. Its reasoning and its calls of tools are no part of the answer: readers join the pieces."""
    if isinstance(frame, dict):
        return str(frame.get("text", "")) if frame.get("type") == "text" else None
    return frame if isinstance(frame, str) else None
