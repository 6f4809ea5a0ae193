"""What a run is doing, or why it is not, in one sentence."""

from datetime import UTC, datetime

from flows.agents.execution.steering import LOOK
from flows.agents.naming import JOB as FLOW
from flows.agents.naming import place_of
from hitl.models import QuestionStatus
from perdure.dashboard.rows import shown_status
from perdure.dashboard.run_titles import QUESTION
from runs import clock
from runs.models import Run, RunStatus, Step, StepStatus

_PAUSES = {
    "crash_loop": "its worker died several times without a recorded step; look at its log, then resume it",
    "nondeterminism": "the code no longer fits what the run has recorded; deploy the fitting version and resume it",
    "job_not_found": "no code of its job is registered; deploy it and resume the run",
}
_WAITS = {
    "timer": "a timer",
    "signal": "a signal",
    "child": "a child run",
    "retry": "the next attempt of a step",
    "budget tokens": "more tokens: its budget is spent",
    "budget cost": "more money: its budget is spent",
    "budget steps": "more steps: its budget is spent",
    "budget active_seconds": "more time to work: its budget is spent",
}
_NAMED_WAITS = {"signal": "signal", "child": "a child run of", "sleep": "the end of its sleep"}


def status_sentence(run: Run, steps: list[Step]) -> str:
    """One sentence in plain words; `steps` are the run's steps as they are now."""
    if run.reason == "no_worker_for_version" and not run.has_ended:
        return f"{run.get_status_display()}: no worker has version {run.job_version} of this job. Start one that has."
    if run.reason == "no_worker_for_queue" and not run.has_ended:
        return f"{run.get_status_display()}: no worker serves queue {run.queue}. Start one that does."
    match run.status:
        case RunStatus.QUEUED:
            return _queued(run)
        case RunStatus.RUNNING:
            return "Pausing: it holds when its running steps have ended." if run.pause_wanted else _running(steps)
        case RunStatus.WAITING:
            return f"Waiting for {_wait(run)}."
        case RunStatus.PAUSED:
            return f"Paused: {run.reason or 'held'} — {_PAUSES.get(run.reason, 'resume it when it may go on')}."
        case RunStatus.COMPLETED:
            return f"Completed after {_count(len(steps), 'step')}."
        case RunStatus.FAILED:
            return _failed(run, steps)
        case _:
            return "Cancelled." if not run.reason else f"Cancelled: {run.reason}."


def _queued(run: Run) -> str:
    if run.run_at > clock.now():
        return f"Starts at {_clock_time(run.run_at)}."
    return "Queued: a worker will take it as soon as one has room."


def _running(steps: list[Step]) -> str:
    done = sum(step.status == StepStatus.COMPLETED for step in steps)
    retrying = [step.name for step in steps if step.status == StepStatus.RETRYING]
    working = [step.name for step in steps if shown_status(step) == StepStatus.RUNNING]
    if working:
        others = f" and {len(working) - 1} more" if len(working) > 1 else ""
        return f"Running step {done + 1}: {working[0]}{others}."
    if retrying:
        return f"Trying {retrying[0]} again in a moment; {_count(done, 'step')} done."
    return f"Running; {_count(done, 'step')} done."


def _wait(run: Run) -> str:
    kind, _, name = run.reason.partition(" ")
    if kind == "signal" and name.startswith(QUESTION):
        return _answer(run)
    if run.job == FLOW and kind == "signal" and name.startswith(LOOK):
        return f"somebody to let iteration {name.removeprefix(LOOK)} begin"
    if name and kind in _NAMED_WAITS:
        what = f"{_NAMED_WAITS[kind]} {name}"
    else:
        what = _WAITS.get(run.reason, run.reason or "something to happen")
    return f"{what} until {_clock_time(run.due_at)}" if run.due_at and run.due_at > clock.now() else what


def _answer(run: Run) -> str:
    """The run itself wakes for each reminder too, which is nobody's deadline."""
    still_open = run.questions.filter(status=QuestionStatus.OPEN, deadline__isnull=False)
    deadline = still_open.order_by("deadline").values_list("deadline", flat=True).first()
    return f"an answer until {_clock_time(deadline)}" if deadline else "an answer"


def _failed(run: Run, steps: list[Step]) -> str:
    failed = [step.name for step in steps if step.status == StepStatus.FAILED]
    place = place_of(failed[-1]) if failed and run.job == FLOW else None
    if place is not None:
        return f"Failed in iteration {place.iteration}, at {place.step}."
    if failed:
        return f"Failed at step {failed[-1]}."
    return f"Failed with {(run.error or {}).get('type', 'an error')}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _clock_time(at: datetime) -> str:
    at = at.astimezone(UTC)
    same_day = at.date() == clock.now().date()
    return at.strftime("%H:%M:%S UTC" if same_day else "%d %b %H:%M UTC")
