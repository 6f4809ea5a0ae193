"""How the driving of a run ends, as transitions."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import reduce
from typing import Any
from uuid import UUID

from runs import clock
from runs.definitions import Job
from runs.engine.history import StepRecord
from runs.engine.payload import clean, describe_error, dump, encode
from runs.engine.store.spent import Spent
from runs.engine.store.transitions import Change, StepRow, Transition
from runs.errors import RunsError
from runs.events.types import EventDraft, EventType
from runs.models import Run, RunStatus, StepStatus

Opened = Iterable[Transition]
"""The cancellations of steps that are open when their run ends."""


async def body(function: Callable[..., Any], *args: Any) -> Any:
    """A function of the job; a task that raises SystemExit would end the whole loop."""
    try:
        return await function(*args)
    except (SystemExit, KeyboardInterrupt) as exc:
        raise RuntimeError(f"the job raised {type(exc).__name__}") from exc


def complete(run: Run, job: Job, value: Any, opened: Opened, inbox: int | None = None) -> Transition:
    """The run is done; an output that does not fit or cannot be stored fails it instead.

    With `inbox` only if nothing has arrived that the run has not seen.
    """
    try:
        output = encode(job.parse_output(value), f"The output of job {job.name!r}")
    except RunsError as exc:
        return fail(exc, opened)
    values = {"output": output.text}
    if output.secrets:
        values["secrets"] = dump(run.secrets | {"output": output.secrets}, "secrets")
    done = _end(RunStatus.COMPLETED, values, EventDraft(EventType.RUN_COMPLETE, {"output": output.shown}), opened)
    return done._replace(change=replace(done.change, expect_inbox=inbox))


def fail(exc: BaseException, opened: Opened) -> Transition:
    """The run has failed; steps that were open end with it. The error names the step that failed it, for a retry."""
    error = describe_error(exc)
    if steps := failed_steps(exc):
        error |= {"step": steps[0], "steps": steps}
    draft = EventDraft(EventType.RUN_FAIL, {"error": error})
    return _end(RunStatus.FAILED, {"error": dump(error, "error")}, draft, opened)


def _stop(opened: Transition) -> Transition:
    """A step that a failure found at work: a retry of the run begins it again."""
    events = tuple(
        replace(event, data=event.data | {"stopped": True}) if event.type is EventType.STEP_CANCEL else event
        for event in opened.events
    )
    return opened._replace(events=events, steps=tuple(row._replace(status=StepStatus.STOPPED) for row in opened.steps))


def call_off(run_id: UUID, record: StepRecord) -> Transition:
    """Ends a step whose row says that it is open, also one that this execution has not come to."""
    if record.call_off is not None:
        return record.call_off()
    now, kept = clock.now(), record.output
    row = StepRow(
        run_id, record.name, record.kind, record.branch, record.position, StepStatus.CANCELLED.value, record.attempts,
        record.failures, None if kept is None else dump(kept, f"Step {record.name!r}"), "[]", None, record.started_at,
        now, record.wake_at,
    )  # fmt: skip
    event = EventDraft(EventType.STEP_CANCEL, {}, record.name, record.attempts or None)
    return Transition(now, events=(event,), steps=(row,))


def failed_steps(exc: BaseException | None) -> list[str]:
    """The steps whose failure this is, also where the job's code raised something else because of them."""
    while exc is not None:
        if isinstance(exc, RunsError) and exc.failed_steps:
            return list(exc.failed_steps)
        if isinstance(exc, BaseExceptionGroup):
            return [step for one in exc.exceptions for step in failed_steps(one)]
        exc = exc.__cause__ or exc.__context__
    return []


def _end(status: RunStatus, values: dict[str, Any], draft: EventDraft, opened: Opened) -> Transition:
    now = clock.now()
    opened = [_stop(one) if status is RunStatus.FAILED else one for one in opened]
    fixed = {"status": status.value, "reason": "", "finished_at": now, "due_at": None, "claims": 0}
    end = Transition(now, change=Change(values | fixed, release=True), events=(draft,))
    return end._replace(
        events=(*(event for one in opened for event in one.events), draft),
        steps=tuple(row for one in opened for row in one.steps),
        letters=tuple(row for one in opened for row in one.letters),
        attempts=tuple(row for one in opened for row in one.attempts),
        spent=reduce(Spent.plus, spent) if (spent := [one.spent for one in opened if one.spent is not None]) else None,
    )


def pause(reason: str, error: Exception) -> Transition:
    """Held until somebody resumes it; nothing else of the run is touched."""
    data = {"reason": reason, "error": {"type": type(error).__name__, "message": clean(str(error), 4_000)}}
    values = {"status": RunStatus.PAUSED.value, "reason": reason, "due_at": None, "error": dump(data["error"], "error")}
    change = Change(values, release=True)
    return Transition(clock.now(), change=change, events=(EventDraft(EventType.RUN_PAUSE, data),))


def hold(inbox: int, said: dict[str, Any]) -> Transition:
    """Paused by an operator, who and why as they `said`, unless somebody took that back."""
    reason = said.get("reason", "")  # a claim in between has cleared the row's
    values = {
        "status": RunStatus.PAUSED.value, "reason": clean(reason, 200), "due_at": None, "pause_wanted": False,
        "claims": 0,
    }  # fmt: skip
    change = Change(values, release=True, expect_inbox=inbox)
    return Transition(clock.now(), change=change, events=(EventDraft(EventType.RUN_PAUSE, said),))


def wait(until: datetime | None, reason: str, inbox: int) -> Transition:
    """Unloaded, unless something arrived that the run has not seen."""
    data = {"reason": reason, "until": until.isoformat().replace("+00:00", "Z") if until else None}
    values = {"status": RunStatus.WAITING.value, "reason": clean(reason, 200), "due_at": until, "claims": 0}
    change = Change(values, release=True, expect_inbox=inbox)
    return Transition(clock.now(), change=change, events=(EventDraft(EventType.RUN_WAIT, data),))


def release(run: Run) -> Transition:
    """Handed back: any worker may go on at once, also one whose clock is behind this one's."""
    due_at = run.claimed_at  # by the database's clock, which decides what is due
    values = {"status": RunStatus.QUEUED.value, "reason": "", "due_at": due_at, "claims": 0}
    return Transition(clock.now(), change=Change(values, release=True))
