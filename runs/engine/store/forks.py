"""New runs from old ones: fork from a recorded step, or start again."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from runs.budgets import Budget
from runs.definitions import Job, registry
from runs.engine.branches import Branch
from runs.engine.payload import encode
from runs.engine.store.artifacts import copy_to_fork
from runs.engine.store.budgets import open_all, started_with
from runs.engine.store.decided import refuse_decided
from runs.engine.store.kept import refuse_to_give_away
from runs.engine.store.rows import Actor, append_events, get, lock, write_audit
from runs.engine.store.start import Started, StartOptions, new_run, start
from runs.errors import HistoryPruned, InvalidOption
from runs.events.doorbell import ring
from runs.events.types import EventDraft, EventType
from runs.models import Run, Signal, SignalKind, Step, StepStatus

_RESULTS = {"signal": "payload", "child": "output", "race": "value"}
"""The part of such a step's row that the job's code gets."""
_KEPT = (StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.CANCELLED, StepStatus.SKIPPED)


def retrigger(run_id: UUID | str, actor: Actor, starter: Any = None) -> Started:
    """A new run of the same job with the same input and labels; nothing of the old one is used again."""
    old = get(run_id)
    job = registry.get(old.job, old.job_version)
    options = StartOptions(
        owner=_owner(old, starter), team=old.team, labels=old.labels, priority=old.priority, queue=old.queue,
        concurrency_key=old.concurrency_key, budget=_budget(old, job),
    )  # fmt: skip
    return start(job, old.input, options, actor)


def fork(
    run_id: UUID | str,
    step: str,
    actor: Actor,
    *,
    input: Any = None,
    outputs: dict[str, Any] | None = None,
    starter: Any = None,
) -> Run:
    """A new run that has the steps before `step` recorded, with other input or other results where given.

    Raises RunNotFound, HistoryPruned, InvalidInput, InvalidOption (no such step, people decided about what changes, or
    what another person's run keeps secret would stand beside it).
    """
    with transaction.atomic():
        old = lock(run_id)  # so that no clean-up takes its steps meanwhile
        if old.first_sequence > 1:
            raise HistoryPruned(old.id, old.first_sequence, "forked")
        run = _forked(old, step, actor, input, outputs or {}, starter)
    transaction.on_commit(lambda: ring([run.id]))
    return get(run.id)


def _owner(old: Run, starter: Any) -> Any:
    """Who starts a run does not decide what it asks, so a colleague's is theirs; without a team the owner's stays."""
    return starter if starter is not None and old.team is not None else old.owner


def _budget(old: Run, job: Job) -> Budget | None:
    """What the old run was started with, as far as its job still allows that; what was granted was granted to it."""
    own = started_with(old)
    return None if own is None else own.no_more_than(job.budget)


def _forked(old: Run, step: str, actor: Actor, input: Any, outputs: dict[str, Any], starter: Any) -> Run:
    first, kept = _steps_before(old, step, outputs)
    if input is not None or outputs:
        refuse_decided(old, kept, outputs.keys())
        refuse_to_give_away(old, kept, outputs, starter, has_input=input is not None)
    job = registry.get(old.job, old.job_version)
    value = old.input if input is None else input
    run, budget = new_run(job, encode(job.parse_input(value), f"The input of job {job.name!r}"), StartOptions(
        owner=_owner(old, starter), team=old.team, labels=old.labels, priority=old.priority, queue=old.queue,
        budget=_budget(old, job),
    ))  # fmt: skip
    run.forked_from, run.forked_step = old, step
    run.write_no = 1  # it has a history to load
    run.save(force_insert=True)
    open_all([(run, budget, None)])
    Step.objects.bulk_create([_copy(one, run, outputs) for one in kept])
    copy_to_fork(old, run, [one.name for one in kept])
    _copy_updates(old, run, first.started_at)
    data = {"actor": actor.as_data(), "from": str(old.id), "step": step, "changed": sorted(outputs)}
    append_events(run, [EventDraft(EventType.RUN_QUEUED, {"actor": actor.as_data(), "labels": run.labels}),
                        EventDraft(EventType.RUN_FORK, data)])  # fmt: skip
    changed = {"changed": sorted(outputs)} if outputs else {}
    write_audit(actor, "run.fork", run, {"from": str(old.id), "step": step} | changed)
    return run


def _steps_before(old: Run, step: str, outputs: dict[str, Any]) -> tuple[Step, list[Step]]:
    steps = list(Step.objects.filter(run=old).order_by("id"))
    place = next((number for number, one in enumerate(steps) if one.name == step), None)
    if place is None:
        raise InvalidOption("step", "names no recorded step of that run", "Take a name from its steps.")
    kept = [one for one in steps[:place] if one.status in _KEPT and not Branch.is_of_update(one.branch)]
    unknown = set(outputs) - {one.name for one in kept}
    if unknown:
        raise InvalidOption(
            "outputs", f"names {sorted(unknown)[0]!r}, which is no earlier step", "Change earlier steps."
        )
    return steps[place], kept


def _copy_updates(old: Run, run: Run, until: datetime | None) -> None:
    """What updates had changed before the fork. Only the job's own flow is sure to come to their places again."""
    done = Signal.objects.filter(run=old, kind=SignalKind.UPDATE, consumed_at__isnull=False)
    for update in done.filter(consumed_at__lte=until).order_by("id") if until else ():
        update.pk, update.run = None, run
        if update.effect is not None:
            own = {path: ticks for path, ticks in update.effect["place"].items() if path == "0"}
            update.effect = update.effect | {"place": own}
        update.save(force_insert=True)
        Run.objects.filter(id=run.id).update(inbox=F("inbox") + 1)


def result_of(step: Step) -> Any:
    """What the job's code got of a recorded step: what `outputs` of a fork replaces."""
    part = _RESULTS.get(step.kind)
    return step.output.get(part) if part and isinstance(step.output, dict) else step.output


def _as_recorded(step: Step, value: Any) -> Any:
    """What the row of such a step holds: waits record more than the value that the job's code gets."""
    part, before = _RESULTS.get(step.kind), step.output if isinstance(step.output, dict) else {}
    if part is None:
        return value
    name = "run" if step.kind == "child" else "name"
    return {name: before.get(name, ""), part: value}


def _copy(old: Step, run: Run, outputs: dict[str, Any]) -> Step:
    old.pk = None
    old.run = run
    if old.name in outputs:
        payload = encode(_as_recorded(old, outputs[old.name]), f"The new result of step {old.name!r}")
        old.output, old.secrets, old.status, old.error = payload.value, payload.secrets, StepStatus.COMPLETED, None
    return old
