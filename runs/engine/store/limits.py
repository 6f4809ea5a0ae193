"""A run has come to a limit: it is warned of, or told with a question to people, in one transaction."""

from enum import Enum
from uuid import UUID

from django.db import transaction

from runs.budgets import LimitReached, find_asker
from runs.engine.store.balances import Total, limits_of
from runs.engine.store.budgets import lock_allowance, lock_runs
from runs.engine.store.rows import append_events
from runs.errors import RunWithoutBudget
from runs.events.doorbell import ring
from runs.events.types import EventDraft, EventType
from runs.models import Allowance, Run, Spending


class Met(Enum):
    """What a limit means for the step that would begin."""

    PASS = "pass"
    PARK = "park"
    DENIED = "denied"


def meet(run_id: UUID, token: int, budget_of: UUID, name: str, total: Total) -> Met:
    """Warn once of a soft limit; at a hard one mark the run as parked, and ask unless that was done.

    `total` is what was spent at least: spending only grows, and limits only rise. A run that was lost meanwhile
    (another `token`) tells nothing.
    """
    with transaction.atomic():
        try:
            allowance = lock_allowance(budget_of)
        except RunWithoutBudget:  # the run that it was of was deleted
            return Met.PASS
        runs = lock_runs([budget_of, run_id])
        run, owner = runs.get(run_id), runs.get(budget_of)
        if run is None or owner is None or run.lease_token != token or run.has_ended:
            return Met.PARK
        speaker = run if owner.has_ended else owner
        limit = limits_of(allowance)[name]
        if not total.reaches(name, limit.hard):
            if total.reaches(name, limit.soft):
                _warn(allowance, speaker, name, total)
            return Met.PASS
        if allowance.denied.get(name) == limit.hard:
            return Met.DENIED
        _park(allowance, run, speaker, name, total)
    return Met.PARK


def _warn(allowance: Allowance, speaker: Run, name: str, total: Total) -> None:
    soft = limits_of(allowance)[name].soft
    if allowance.warned.get(name) == soft:
        return
    allowance.warned |= {name: soft}
    allowance.save(update_fields=["warned"])
    append_events(speaker, [EventDraft(EventType.BUDGET_WARN, _data(allowance, name, total))])
    _ring(speaker)


def _data(allowance: Allowance, name: str, total: Total) -> dict[str, object]:
    limit = limits_of(allowance)[name]
    return {
        "limit": name, "spent": total.amount(name), "soft": limit.soft, "hard": limit.hard,
        "budget_of": str(allowance.run_id),
    }  # fmt: skip


def _park(allowance: Allowance, run: Run, speaker: Run, name: str, total: Total) -> None:
    parked = Spending.objects.filter(run_id=run.id)
    is_new = not parked.filter(parked_by=allowance.run_id, parked=name).exists()
    parked.update(parked=name, parked_by=allowance.run_id, asked=speaker.id)
    draft = EventDraft(EventType.BUDGET_EXCEED, _data(allowance, name, total))
    if is_new and run.id != speaker.id:
        append_events(run, [draft])
        _ring(run)
    told, hard = allowance.told.get(name, {}), limits_of(allowance)[name].hard
    if told.get(str(speaker.id)) != hard:
        allowance.told |= {name: {key: value for key, value in told.items() if value == hard} | {str(speaker.id): hard}}
        allowance.save(update_fields=["told"])
        append_events(speaker, [draft])
        _ask(allowance, run, speaker, name, total)
        _ring(speaker)


def _ring(run: Run) -> None:
    """Only for news: the run itself hears it, and looks again."""
    transaction.on_commit(lambda: ring([run.id]))


def _ask(allowance: Allowance, run: Run, speaker: Run, name: str, total: Total) -> None:
    if (asker := find_asker()) is None:
        return
    hard = {key: limit.hard for key, limit in limits_of(allowance).items()}
    asker.ask(
        LimitReached(
            run_id=speaker.id, budget_of=allowance.run_id, name=name, limits=hard,
            started_with={key: limit["hard"] for key, limit in allowance.limits.items()},
            spent=total.as_json(hard), starter_may_grant=allowance.starter_may_grant, by=run.job,
        )
    )  # fmt: skip
