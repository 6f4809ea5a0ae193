"""The authoring API: all that job modules, pages, REST and other apps import of the engine."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from runs.budgets import Budget, Limit
from runs.definitions import Concurrency, Job, Retention, Retry, registry
from runs.engine import moves
from runs.engine.answers import UpdateAnswer, get_update, update
from runs.engine.attempts import CurrentAttempt, current_attempt
from runs.engine.bridge import Bridged, SyncStepContext
from runs.engine.budgeting import BudgetState, budget_state, budget_states, hold_budget, may_grant, settle_budget
from runs.engine.budgeting import grant as grant_budget
from runs.engine.hooks import EndedRun
from runs.engine.payload import is_same_input, readable, redact, secrets_of
from runs.engine.queries import RunView, StepView, query
from runs.engine.queued import Hold, why_queued
from runs.engine.queues import QueueState
from runs.engine.queues import states as queue_states
from runs.engine.races import Winner
from runs.engine.schedules import zones
from runs.engine.step import StepContext
from runs.engine.store import artifacts as kept_files
from runs.engine.store import control, family, forks, messages, rows, together
from runs.engine.store import start as starting
from runs.engine.store.choice import choose as job_for_new_run
from runs.engine.store.decided import guard_forks
from runs.engine.store.firing import trigger_schedule
from runs.engine.store.forks import result_of
from runs.engine.store.messages import Sent
from runs.engine.store.presets import change_preset, create_preset, delete_preset, start_preset
from runs.engine.store.queues import forget_queue, set_queue
from runs.engine.store.rollouts import check_rollout, end_rollout, get_rollout, set_rollout
from runs.engine.store.rows import SYSTEM, Actor
from runs.engine.store.schedules import (
    ScheduleSpec,
    change_schedule,
    create_schedule,
    cron_in_words,
    delete_schedule,
    next_times,
    pause_schedule,
    resume_schedule,
    times_between,
)
from runs.engine.store.start import Started, StartOptions
from runs.engine.store.together import NewRun
from runs.engine.streams import Checkpoint, Emit
from runs.engine.used import usage_of
from runs.engine.visible import may_change, queues, visible_presets, visible_runs, visible_schedules, visible_usage
from runs.engine.waits import ReceivedSignal
from runs.engine.watched import watch
from runs.engine.workflows import (
    Begin,
    Reading,
    name_workflows,
    newest_steps,
    read_steps,
    read_workflows,
    workflow_named,
)
from runs.events.types import EventDraft
from runs.models import Artifact, Run

__all__ = [
    "SYSTEM",
    "Actor",
    "Begin",
    "Bridged",
    "Budget",
    "BudgetState",
    "Checkpoint",
    "Concurrency",
    "CurrentAttempt",
    "Emit",
    "EndedRun",
    "Hold",
    "Job",
    "Limit",
    "NewRun",
    "QueueState",
    "Reading",
    "ReceivedSignal",
    "Retention",
    "Retry",
    "RunView",
    "ScheduleSpec",
    "Sent",
    "Started",
    "StepContext",
    "StepView",
    "SyncStepContext",
    "UpdateAnswer",
    "Winner",
    "all_jobs",
    "artifact",
    "artifacts",
    "audit",
    "budget_state",
    "budget_states",
    "cancel",
    "change_preset",
    "change_schedule",
    "check_rollout",
    "create_preset",
    "create_schedule",
    "cron_in_words",
    "current_attempt",
    "delete",
    "delete_preset",
    "delete_schedule",
    "end_rollout",
    "forget_queue",
    "fork",
    "get",
    "get_job",
    "get_rollout",
    "get_update",
    "grant_budget",
    "guard_forks",
    "hold_budget",
    "is_same_input",
    "job",
    "job_for_new_run",
    "may_change",
    "may_grant",
    "move_version",
    "name_workflows",
    "newest_steps",
    "next_times",
    "pause",
    "pause_schedule",
    "query",
    "queue_states",
    "queues",
    "read_artifact",
    "read_steps",
    "read_workflows",
    "readable",
    "record",
    "redact",
    "result_of",
    "resume",
    "resume_schedule",
    "retrigger",
    "retry",
    "secrets_of",
    "set_queue",
    "set_rollout",
    "settle_budget",
    "signal",
    "start",
    "start_many",
    "start_preset",
    "times_between",
    "trigger_schedule",
    "update",
    "usage_of",
    "visible_presets",
    "visible_runs",
    "visible_schedules",
    "visible_usage",
    "watch_ends",
    "why_queued",
    "workflow_named",
    "zones",
]


def job(
    name: str,
    *,
    version: str = "1",
    retries: Retry | int = 1,
    timeout: timedelta | None = None,
    on_end: Callable[[EndedRun], Any] | None = None,
    queue: str = "default",
    concurrency: Concurrency | int = 1,
    retention: Retention | None = None,
    budget: Budget | None = None,
    budget_of: Callable[[Any], Budget | None] | None = None,
    agui: bool = False,
) -> Callable[[Callable[..., Any]], Job]:
    """Register a function `(step, input)` or `(step)` as a job.

    `retries` is the default of its steps (an int is max_attempts), `timeout` limits the time worked, waits not
    counted; `on_end` is called at least once after every end; runs wait for a worker in `queue`. `concurrency` says
    how many runs with the same `concurrency_key` may be under way (an int is the limit); `retention` says how long
    ended runs are kept, `budget` what a run with its children may spend, and `budget_of(input)` what one of this input
    (as JSON) may; with `agui` AG-UI frontends may talk to it.
    Raises JobAlreadyRegistered, InvalidJob.
    """

    def register(function: Callable[..., Any]) -> Job:
        made = Job(
            name=name, version=version, function=function, retries=Retry.of(retries), timeout=timeout,
            on_end=on_end, queue=queue, concurrency=Concurrency.of(concurrency),
            retention=retention or Retention(), budget=Budget.of(budget), budget_of=budget_of, agui=agui,
        )  # fmt: skip
        registry.register(made)
        return made

    return register


def watch_ends(label: str, function: Callable[[EndedRun], Any]) -> None:
    """Have `function` called at least once after every end of a run that was started with `label`, as an `on_end` is.

    Belongs in an app's `ready`, in each process that starts runs; the same label replaces. Anybody may give their run
    any label, so the label alone proves nothing.
    """
    watch(label, function)


def all_jobs() -> list[Job]:
    """Every job of this process, by name and version."""
    return registry.all()


def get_job(name: str, version: str | None = None) -> Job:
    """Raises JobNotFound."""
    return registry.get(name, version)


def start(
    job: Job | str,
    input: Any = None,
    *,
    version: str | None = None,
    owner: Any = None,
    team: Any = None,
    labels: dict[str, str] | None = None,
    idempotency_key: str | None = None,
    priority: int = 0,
    queue: str | None = None,
    run_at: datetime | None = None,
    concurrency_key: str | None = None,
    coalesce: str | None = None,
    budget: Budget | Mapping[str, Any] | None = None,
    actor: Actor = SYSTEM,
) -> Started:
    """Start a run: one INSERT in the caller's transaction. By name, without a version, the job's rollout chooses one.

    The same `idempotency_key` for the same job and team (or owner) gives the run that has it. Runs of one
    `concurrency_key`, job and team (or owner) go on in order, as many at once as the job allows; `coalesce="skip"`
    gives the one of them that has not begun instead of a new one. `budget` (as in `{"tokens": 10_000}`) limits what it
    and its children spend, within its job's. Raises JobNotFound,
    InvalidInput, InvalidOption, StorageError, IdempotencyConflict; then no run exists.
    """
    options = StartOptions(
        owner=owner, team=team, labels=labels, idempotency_key=idempotency_key, priority=priority, queue=queue,
        run_at=run_at, concurrency_key=concurrency_key, coalesce=coalesce, budget=budget,
    )  # fmt: skip
    return starting.start(together.job_for(job, version, options), input, options, actor)


def start_many(runs: Iterable[NewRun], *, actor: Actor = SYSTEM) -> list[Started]:
    """Start many runs at once, in the caller's transaction: all of them, or none. In the order given.

    Each means what `start` means with the same arguments; two of one idempotency key give one run. Many times cheaper
    than as many calls of `start`. Raises what `start` raises.
    """
    return together.start_many(runs, actor)


def get(run_id: UUID | str) -> Run:
    """Raises RunNotFound."""
    return rows.get(run_id)


def signal(
    run_id: UUID | str, name: str, payload: Any = None, *, idempotency_key: str | None = None, actor: Actor = SYSTEM
) -> Sent:
    """Send a durable message, in the caller's transaction; consumed once, also when nobody waits for it yet.

    Raises RunNotFound, RunAlreadyEnded, StorageError, InvalidOption, IdempotencyConflict.
    """
    return messages.send(run_id, name, payload, actor, idempotency_key)


def artifacts(run_id: UUID | str) -> list[Artifact]:
    """What the run has saved: every version, by name and version. Raises RunNotFound."""
    return kept_files.artifacts(run_id)


def artifact(run_id: UUID | str, name: str, version: int | None = None) -> Artifact:
    """One version, or the newest. Raises RunNotFound, ArtifactNotFound."""
    return kept_files.find(run_id, name, version)


def read_artifact(run_id: UUID | str, name: str, version: int | None = None) -> bytes:
    """The content of that version, or of the newest. Raises RunNotFound, ArtifactNotFound."""
    return kept_files.content_of(kept_files.find(run_id, name, version))


def record(run_id: UUID | str, event: EventDraft, actor: Actor, *, action: str = "", data: Any = None) -> Run:
    """Write an event to a run's log, in the caller's transaction and under the run's lock; the run.

    With `action` an Audit row too, holding `data`. Raises RunNotFound, RunAlreadyEnded.
    """
    return messages.record(run_id, event, actor, action, data)


def audit(actor: Actor, action: str, target: str, data: dict[str, Any] | None = None) -> None:
    """Write down who did what to something that is no run, in the caller's transaction."""
    rows.write_audit(actor, action, target, data)


def cancel(run_id: UUID | str, *, actor: Actor = SYSTEM, reason: str = "") -> Run:
    """End a run that has not ended, at once, and its children. Raises RunNotFound, RunAlreadyEnded."""
    run = control.cancel(run_id, actor, reason)
    transaction.on_commit(family.tell_parents)
    return run


def pause(run_id: UUID | str, *, actor: Actor = SYSTEM, reason: str = "") -> Run:
    """Hold a run at its next step boundary. Raises RunNotFound, RunAlreadyEnded."""
    return control.pause(run_id, actor, reason)


def resume(run_id: UUID | str, *, actor: Actor = SYSTEM, reason: str = "") -> Run:
    """Queue a paused run again. Raises RunNotFound, RunNotPaused."""
    return control.resume(run_id, actor, reason)


def retry(run_id: UUID | str, *, actor: Actor = SYSTEM, reason: str = "") -> Run:
    """Let a failed run go on from the step that failed it. Raises RunNotFound, RunNotFailed, HistoryPruned."""
    return control.retry(run_id, actor, reason)


def retrigger(run_id: UUID | str, *, starter: Any = None, actor: Actor = SYSTEM) -> Started:
    """A new run with the same job, input and labels. Of a team's run it is the `starter`'s, if one is given.

    Raises RunNotFound, JobNotFound, InvalidInput.
    """
    return forks.retrigger(run_id, actor, starter)


def fork(
    run_id: UUID | str, step: str, *, input: Any = None, outputs: dict[str, Any] | None = None, starter: Any = None,
    actor: Actor = SYSTEM,
) -> Run:  # fmt: skip
    """A new run with everything before `step` recorded, with other input or results where given.

    Of a team's run it is the `starter`'s, if one is given. With another input or result no answer of people is kept.
    Raises RunNotFound, HistoryPruned, InvalidInput, InvalidOption.
    """
    return forks.fork(run_id, step, actor, input=input, outputs=outputs, starter=starter)


def move_version(run_id: UUID | str, version: str, *, actor: Actor = SYSTEM) -> Run:
    """Pin a run to another version of its job, after a replay of its history against that version.

    Raises RunNotFound, JobNotFound, InvalidOption, RunAlreadyEnded, RunNotMovable (a worker drives it),
    HistoryPruned, VersionUnfit.
    """
    return moves.move(run_id, version, actor)


def delete(run_id: UUID | str, *, actor: Actor = SYSTEM, reason: str = "") -> None:
    """Remove an ended run. Raises RunNotFound, RunNotFinished."""
    control.delete(run_id, actor, reason)
