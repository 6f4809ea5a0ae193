"""Transitions that callers make of a run that is there. Each locks its own run's row and no other."""

from uuid import UUID

from django.db import transaction
from django.db.models import F

from runs import clock
from runs.definitions import registry
from runs.engine.payload import clean
from runs.engine.store import budgets
from runs.engine.store.artifacts import let_files_go
from runs.engine.store.messages import close_updates
from runs.engine.store.reopen import reopen_steps
from runs.engine.store.rows import Actor, append_events, get, lock, write_audit
from runs.engine.store.usage import count_usage_of
from runs.errors import (
    HistoryPruned,
    RunAlreadyEnded,
    RunNotFailed,
    RunNotFinished,
    RunNotPaused,
)
from runs.events.doorbell import ring
from runs.events.types import EventDraft, EventType
from runs.models import ENDED, Attempt, AttemptOutcome, EndHook, Run, RunStatus, Step, StepStatus

RESUMED, RETRIED = "resumed", "retried"
"""Why a run is queued whose going on is in its log already, with the person who asked for it."""


def cancel(run_id: UUID | str, actor: Actor, reason: str) -> Run:
    """End the run now: its token moves on, so whatever its worker still does can write nothing.

    Raises RunNotFound, RunAlreadyEnded.
    """
    with transaction.atomic():
        run = lock(run_id)
        if run.has_ended:
            raise RunAlreadyEnded(run.id, run.status, "cancelled")
        drafts = _cancel_open_steps(run)
        data = {"actor": actor.as_data(), "reason": clean(reason, 500)}
        append_events(run, [*drafts, EventDraft(EventType.RUN_CANCEL, data)])
        _end_as_cancelled(run, clean(reason, 200))
        write_audit(actor, "run.cancel", run, {"reason": clean(reason, 500)})
    transaction.on_commit(lambda: ring([run.id]))
    return get(run.id)


def _cancel_open_steps(run: Run) -> list[EventDraft]:
    now = clock.now()
    opened = Step.objects.filter(run=run, status__in=[StepStatus.RUNNING, StepStatus.RETRYING])
    drafts = [EventDraft(EventType.STEP_CANCEL, step=step.name, attempt=step.attempts) for step in opened]
    opened.update(status=StepStatus.CANCELLED, finished_at=now, wake_at=None)
    Attempt.objects.filter(run=run, outcome=AttemptOutcome.OPEN).update(outcome=AttemptOutcome.CANCELLED, ended_at=now)
    return drafts


def _end_as_cancelled(run: Run, reason: str) -> None:
    worked = 0
    if run.status == RunStatus.RUNNING and run.claimed_at:
        worked = max(0, int((clock.now() - run.claimed_at).total_seconds() * 1000))
    Run.objects.filter(id=run.id).update(
        status=RunStatus.CANCELLED, reason=reason, lease_token=F("lease_token") + 1, lease_worker=None, due_at=None,
        claims=0, finished_at=clock.now(), active_ms=F("active_ms") + worked,
        end_hook=EndHook.DUE if run.end_hook == EndHook.ARMED else run.end_hook, pause_wanted=False,
        tell_parent=run.parent_id is not None,
    )  # fmt: skip


def pause(run_id: UUID | str, actor: Actor, reason: str) -> Run:
    """Hold a run: at once, or where its running steps end. Signals and timers go on arriving.

    Raises RunNotFound, RunAlreadyEnded; a run that is paused already stays so.
    """
    with transaction.atomic():
        run = lock(run_id)
        if run.has_ended:
            raise RunAlreadyEnded(run.id, run.status, "paused")
        data = {"actor": actor.as_data(), "reason": clean(reason, 500)}
        if run.status == RunStatus.RUNNING:
            # the inbox, too: a run that is going idle right now must not miss it
            Run.objects.filter(id=run.id).update(
                pause_wanted=True, pause_event=data, reason=clean(reason, 200), inbox=F("inbox") + 1
            )
        elif run.status != RunStatus.PAUSED:
            append_events(run, [EventDraft(EventType.RUN_PAUSE, data)])
            Run.objects.filter(id=run.id).update(
                status=RunStatus.PAUSED, reason=clean(reason, 200), due_at=None, lease_token=F("lease_token") + 1
            )
        write_audit(actor, "run.pause", run, {"reason": clean(reason, 500)})
    transaction.on_commit(lambda: ring([run.id]))
    return get(run.id)


def _why(reason: str) -> dict[str, str]:
    """In an event or an audit row: nothing where nobody gave a reason."""
    return {"reason": clean(reason, 500)} if reason else {}


def resume(run_id: UUID | str, actor: Actor, reason: str = "") -> Run:
    """Queue a paused run again. Raises RunNotFound, RunNotPaused."""
    with transaction.atomic():
        run = lock(run_id)
        if run.status != RunStatus.PAUSED and not run.pause_wanted:
            raise RunNotPaused(run.id, run.status)
        if run.status != RunStatus.PAUSED:
            Run.objects.filter(id=run.id).update(pause_wanted=False, reason="", inbox=F("inbox") + 1)
            write_audit(actor, "run.resume", run, _why(reason))
            transaction.on_commit(lambda: ring([run.id]))
            return get(run.id)
        Run.objects.filter(id=run.id).update(
            status=RunStatus.QUEUED,
            reason=RESUMED,
            due_at=clock.sql_now() if run.run_at <= clock.now() else run.run_at,
            claims=0,
            error=None,
            inbox=F("inbox") + 1,
            pause_wanted=False,
        )
        append_events(run, [EventDraft(EventType.RUN_RESUME, {"actor": actor.as_data()} | _why(reason))])
        write_audit(actor, "run.resume", run, _why(reason))
    transaction.on_commit(lambda: ring([run.id]))
    return get(run.id)


def retry(run_id: UUID | str, actor: Actor, reason: str = "") -> Run:
    """Let a failed run go on from the step that failed it; what is recorded is not done again.

    Raises RunNotFound, RunNotFailed, HistoryPruned.
    """
    with transaction.atomic():
        allowances = budgets.lock_before_retry(run_id)
        run = lock(run_id)
        _check_retry(run)
        budgets.ask_again(run, allowances)
        again = reopen_steps(run)
        close_updates(run)
        data = {"actor": actor.as_data(), "steps": again} | _why(reason)
        append_events(run, [EventDraft(EventType.RUN_RETRY, data)])
        Run.objects.filter(id=run.id).update(
            status=RunStatus.QUEUED, reason=RETRIED, error=None, finished_at=None, due_at=clock.sql_now(), claims=0,
            attempt=F("attempt") + 1, lease_token=F("lease_token") + 1, tell_parent=False, active_ms=0,
            # its place among the runs of its key is gone: it begins again when there is room
            started_at=None if run.concurrency_key else run.started_at,
            end_hook=EndHook.ARMED if run.end_hook else EndHook.NONE,
        )  # fmt: skip
        write_audit(actor, "run.retry", run, {"steps": again} | _why(reason))
    transaction.on_commit(lambda: ring([run.id]))
    return get(run.id)


def _check_retry(run: Run) -> None:
    if run.status != RunStatus.FAILED:
        raise RunNotFailed(run.id, run.status, "is no failed run")
    if run.first_sequence > 1:
        raise HistoryPruned(run.id, run.first_sequence, "retried")
    if run.parent_id is not None and not run.tell_parent:
        raise RunNotFailed(run.id, run.status, "has told its parent of its end")


def delete(run_id: UUID | str, actor: Actor, reason: str = "") -> None:
    """Remove an ended run with its history; the audit row stays. Raises RunNotFound, RunNotFinished."""
    with transaction.atomic():
        run = lock(run_id)
        if not run.has_ended:
            raise RunNotFinished(run.id, run.status)
        if run.end_hook == EndHook.DUE and _is_deployed(run):
            raise RunNotFinished(run.id, "calling its on_end hook")
        if run.parent_id is not None and Run.objects.filter(id=run.parent_id).exclude(status__in=ENDED).exists():
            raise RunNotFinished(run.id, "the child of a run that has not ended")
        write_audit(actor, "run.delete", run, {"job": run.job, "status": run.status} | _why(reason))
        budgets.keep_spent([run])
        count_usage_of([run.id])
        let_files_go([run.id])
        Run.objects.filter(id=run.id).delete()
    transaction.on_commit(lambda: ring([run.id]))


def _is_deployed(run: Run) -> bool:
    """Whether this process has the run's job; the hook of one that is gone would never be called."""
    return any(job.key == (run.job, run.job_version) for job in registry.all())
