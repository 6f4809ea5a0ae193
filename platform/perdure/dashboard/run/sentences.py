"""What a run is doing, or why it is not, in one sentence."""

from typing import Any
from uuid import UUID

from django.utils.html import format_html
from django.utils.safestring import SafeString

from flows.agents.naming import JOB as FLOW
from flows.agents.naming import place_of
from perdure.dashboard.run.moments import clock_time, time_left
from perdure.dashboard.run.rows import shown_status
from perdure.dashboard.run.waits_said import retry_said, wait_said
from runs import clock
from runs.events.types import EventType
from runs.jobs import Hold, why_queued
from runs.models import Run, RunStatus, Step, StepStatus, Worker

NO_VERSION, NO_SERVER = "no_worker_for_version", "no_worker_for_queue"
_PAUSES = {
    "crash_loop": "its worker died several times without a recorded step; look at its log, then resume it",
    "nondeterminism": "the code no longer fits what the run has recorded; deploy the fitting version and resume it",
    "job_not_found": "no code of its job is registered; deploy it and resume the run",
}


def status_sentence(run: Run, steps: list[Step]) -> SafeString:
    """One sentence in plain words, as HTML; `steps` are the run's steps as they are now."""
    if run.reason == NO_VERSION and not run.has_ended:
        return _no_version(run)
    if run.reason == NO_SERVER and not run.has_ended:
        return _no_server(run)
    match run.status:
        case RunStatus.QUEUED:
            return _queued(run)
        case RunStatus.RUNNING:
            return _running(run, steps)
        case RunStatus.WAITING:
            return wait_said(run, steps)
        case RunStatus.PAUSED:
            return _paused(run)
        case RunStatus.COMPLETED:
            return _completed(run, steps)
        case RunStatus.FAILED:
            return _failed(run, steps)
        case _:
            return _cancelled(run)


def _no_version(run: Run) -> SafeString:
    text = "{}: no worker has version {} of this job. Start one that has."
    return format_html(text, run.get_status_display(), run.job_version)


def _no_server(run: Run) -> SafeString:
    return format_html("{}: no worker serves queue {}. Start one that does.", run.get_status_display(), run.queue)


def _queued(run: Run) -> SafeString:
    if run.run_at > clock.now():
        return format_html("Starts at {}, in {}.", clock_time(run.run_at), time_left(run.run_at))
    hold = why_queued(run)
    if hold.is_paused:
        return format_html("Queued: an operator has paused queue {}. It goes on when that does.", run.queue)
    if hold.ahead:
        return format_html("Queued behind {} of key {}.", _count(hold.ahead, "run"), run.concurrency_key)
    if not hold.takers:
        return _no_taker(run, hold)
    if hold.full_at is not None:
        text = "Queued: queue {} has no room, {} of it {} under way. It begins when one of them ends."
        return format_html(text, run.queue, _count(hold.full_at, "run"), "is" if hold.full_at == 1 else "are")
    return SafeString("Queued: a worker will take it as soon as one has room.")


def _no_taker(run: Run, hold: Hold) -> SafeString:
    if not hold.workers:
        return SafeString("Queued: no worker is running. Start one; the run begins by itself.")
    return _no_version(run)


def _running(run: Run, steps: list[Step]) -> SafeString:
    if run.pause_wanted:
        return SafeString("Pausing: it holds when its running steps have ended.")
    if run.lease_worker and not _lives(run.lease_worker):
        return SafeString("Its worker is gone. Another one takes over, and goes on from the last recorded step.")
    done = sum(step.status == StepStatus.COMPLETED for step in steps)
    working = [step.name for step in steps if shown_status(step) == StepStatus.RUNNING]
    if working:
        others = f" and {len(working) - 1} more" if len(working) > 1 else ""
        return format_html("Running step {}: {}{}.", done + 1, working[0], others)
    retrying = next((step for step in steps if step.status == StepStatus.RETRYING), None)
    if retrying is not None:
        return format_html("{}; {} done.", retry_said(run, retrying), _count(done, "step"))
    return format_html("Running; {} done.", _count(done, "step"))


def _lives(worker_id: UUID) -> bool:
    return Worker.objects.filter(pk=worker_id, expires_at__gt=clock.sql_now()).exists()


def _paused(run: Run) -> SafeString:
    if run.reason in _PAUSES:
        return format_html("Paused: {} — {}.", run.reason, _PAUSES[run.reason])
    who = _by_whom(run, EventType.RUN_PAUSE)
    return format_html("Paused{}{}.", who, _for_reason(run))


def _completed(run: Run, steps: list[Step]) -> SafeString:
    return format_html("Completed after {}.", _count(len(steps), "step"))


def _failed(run: Run, steps: list[Step]) -> SafeString:
    failed = [step.name for step in steps if step.status == StepStatus.FAILED]
    place = place_of(failed[-1]) if failed and run.job == FLOW else None
    if place is not None:
        return format_html("Failed in iteration {}, at {}.", place.iteration, place.step)
    if failed:
        return format_html("Failed at step {}.", failed[-1])
    return format_html("Failed with {}.", (run.error or {}).get("type", "an error"))


def _cancelled(run: Run) -> SafeString:
    who = _by_whom(run, EventType.RUN_CANCEL)
    return format_html("Cancelled{}{}.", who, _for_reason(run))


def _for_reason(run: Run) -> str:
    """People end their reasons with a full stop, or do not."""
    return f": {run.reason.rstrip('. ')}" if run.reason else ""


def _by_whom(run: Run, type_: EventType) -> SafeString:
    """ " by mika at 14:02"; empty where the log does not hold it any more."""
    event = run.events.filter(type=type_).order_by("-sequence").first()
    if event is None:
        return SafeString("")
    actor: dict[str, Any] = event.data.get("actor") or {}
    name = actor.get("name") or ("the engine" if actor.get("kind") in (None, "system") else actor.get("kind"))
    return format_html(" by {} at {}", name, clock_time(event.created_at))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
