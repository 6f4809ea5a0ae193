"""Budgets as rows: opened with their runs, raised or closed by people, kept when a run goes.

Locks go in one order, or two of them wait for each other: what people are asked, the allowance, runs by id. A row of
what a run has spent is written only with that run's row locked.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from runs.budgets import NAMES, Budget, Limit, checked, find_asker
from runs.engine.payload import clean
from runs.engine.store.balances import chain, limits_of
from runs.engine.store.rows import Actor, append_events, as_uuid, get, wake, write_audit
from runs.errors import InvalidOption, RunAlreadyEnded, RunNotFound, RunWithoutBudget
from runs.events.doorbell import ring
from runs.events.types import EventDraft, EventType
from runs.models import ENDED, Allowance, Run, Spending


def open_all(made: Iterable[tuple[Run, Budget | None, UUID | None]]) -> None:
    """For new runs, in the transaction of their insert: the run, its own budget, and the run whose budget is above."""
    limited = [one for one in made if one[0].budget_of is not None]
    if not limited:
        return
    Allowance.objects.bulk_create(
        Allowance(
            run_id=run.id, above_id=above, limits={name: limit.as_json() for name, limit in budget.limits().items()},
            starter_may_grant=budget.starter_may_grant,
        )
        for run, budget, above in limited if budget is not None
    )  # fmt: skip
    Spending.objects.bulk_create(Spending(run_id=run.id, allowance_id=run.budget_of) for run, _, _ in limited)


def still_there(budget_of: UUID | None) -> UUID | None:
    """The budget, unless the run that it was of is gone, and it with it."""
    found = budget_of is not None and Allowance.objects.filter(run_id=budget_of).exists()
    return budget_of if found else None


def started_with(run: Run) -> Budget | None:
    """The budget that a run was started with, without what was granted; None for one that spends its parent's."""
    row = Allowance.objects.filter(run_id=run.id).first()
    limits = {} if row is None else {name: Limit(**limit) for name, limit in row.limits.items()}
    return None if row is None else Budget(**limits, starter_may_grant=row.starter_may_grant)


def hold(budget_of: UUID) -> Allowance:
    """Lock a budget, after what is asked about it. Raises RunWithoutBudget."""
    if (asker := find_asker()) is not None:
        asker.hold(budget_of)
    return lock_allowance(budget_of)


def lock_allowance(budget_of: UUID) -> Allowance:
    row = Allowance.objects.select_for_update(no_key=True, of=("self",)).filter(run_id=budget_of).first()
    if row is None:
        raise RunWithoutBudget(budget_of)
    return row


def lock_runs(ids: Iterable[UUID]) -> dict[UUID, Run]:
    rows = Run.objects.select_for_update(no_key=True, of=("self",)).filter(id__in=set(ids)).order_by("id")
    return {run.id: run for run in rows}


def find(run_id: UUID | str) -> UUID:
    """The run whose budget counts for this one now: where it is parked, else the nearest.

    Raises RunNotFound, RunWithoutBudget.
    """
    run = get(run_id)
    own = Spending.objects.filter(run_id=run.id).first()
    found = own.parked_by if own is not None and own.parked_by is not None else still_there(run.budget_of)
    if found is None:
        raise RunWithoutBudget(run.id)
    return found


def grant(budget_of: UUID, amounts: dict[str, float], actor: Actor) -> None:
    """Add to its hard limits, and wake what waits for that. Raises InvalidOption, RunAlreadyEnded, RunWithoutBudget."""
    with transaction.atomic():
        allowance = hold(budget_of)
        more = _checked(allowance, amounts)
        allowance.granted |= {name: allowance.granted.get(name, 0) + amount for name, amount in more.items()}
        allowance.save(update_fields=["granted"])
        hard = {name: limit.hard for name, limit in limits_of(allowance).items()}
        _go_on(budget_of, EventType.BUDGET_GRANT, {"granted": more, "limits": hard}, actor)


def deny(budget_of: UUID, name: str, actor: Actor, reason: str = "") -> None:
    """Nothing more beyond the limit as it is now: whoever reaches it fails. Raises what `grant` raises."""
    with transaction.atomic():
        allowance = hold(budget_of)
        if name not in allowance.limits:
            raise InvalidOption(f"budget.{name}", "is not limited here", f"Use one of: {', '.join(allowance.limits)}.")
        allowance.denied |= {name: limits_of(allowance)[name].hard}
        allowance.save(update_fields=["denied"])
        _go_on(budget_of, EventType.BUDGET_DENY, {"limit": name, "reason": clean(reason, 500)}, actor)


def _checked(allowance: Allowance, amounts: dict[str, float]) -> dict[str, float]:
    for name, amount in amounts.items():
        if name not in allowance.limits:
            problem = "is not limited here" if name in NAMES else "is no limit"
            raise InvalidOption(f"budget.{name}", problem, f"Use one of: {', '.join(allowance.limits)}.")
        checked(name, amount)
        checked(name, allowance.limits[name]["hard"] + allowance.granted.get(name, 0) + amount)
    more = {name: amount for name, amount in amounts.items() if amount}
    if not more:
        raise InvalidOption("budget", "is granted nothing", 'Give what is added, as in {"tokens": 1000}.')
    return more


def _go_on(budget_of: UUID, event: EventType, data: dict[str, object], actor: Actor) -> None:
    """Tell of it in the log of the run that people were asked in, and wake all that are parked."""
    parked = Spending.objects.filter(parked_by=budget_of)
    asked = dict(parked.values_list("run_id", "asked"))
    runs = lock_runs([budget_of, *asked])
    alive = {run_id: run for run_id, run in runs.items() if not run.has_ended}
    if not alive:
        ended = runs.get(budget_of)
        raise RunNotFound(budget_of) if ended is None else RunAlreadyEnded(budget_of, ended.status, "granted more")
    told = {budget_of} & alive.keys() or alive.keys() & set(asked.values()) or alive.keys()
    for run_id in sorted(told):
        append_events(alive[run_id], [EventDraft(event, data | {"actor": actor.as_data()})])
        write_audit(actor, event.value.replace(":", "."), alive[run_id], data)
    parked.update(parked="", parked_by=None, asked=None)
    for run_id in sorted(alive.keys() & asked.keys()):
        wake(run_id)
    if (asker := find_asker()) is not None:
        asker.withdraw(budget_of, "it was decided otherwise")
    transaction.on_commit(lambda: ring(list(alive)))


def lock_before_retry(run_id: UUID | str) -> list[Allowance]:
    """Those that a retry of the run asks about anew; before the run's row is locked."""
    budget_of = Run.objects.filter(id=as_uuid(run_id)).values_list("budget_of", flat=True).first()
    return [lock_allowance(one.run_id) for one in chain(budget_of)]


def ask_again(run: Run, allowances: list[Allowance]) -> None:
    """The run is retried, and starts a new time of work: what was denied may be granted now."""
    for allowance in allowances:
        allowance.denied, allowance.told = {}, {}
        allowance.save(update_fields=["denied", "told"])
    if run.budget_of is not None:
        keep_time(run)


def keep_time(run: Run) -> None:
    """The run's own row is about to forget how long it worked."""
    for row in Spending.objects.filter(run_id=run.id):
        row.active_ms += run.active_ms
        row.save(update_fields=["active_ms"])


def keep_spent(runs: Iterable[Run]) -> None:
    """The runs are about to be deleted: what they spent goes on counting above them."""
    gone = [run for run in runs if run.budget_of is not None]
    for run in gone:
        keep_time(run)
    own = Allowance.objects.filter(run_id__in=[run.id for run in gone], above__isnull=False)
    for allowance in own:
        below = Spending.objects.filter(allowance=allowance)
        Run.objects.filter(id__in=below.values("run_id")).update(budget_of=allowance.above_id)
        below.update(allowance=allowance.above_id)
        allowance.below.update(above=allowance.above_id)


def wake_forgotten(limit: int = 100) -> int:
    """Runs that are parked while the run in whose name people were asked has ended: they ask in their own."""
    asked_in = Run.objects.filter(id=OuterRef("asked")).exclude(status__in=ENDED)
    rows = Spending.objects.filter(~Exists(asked_in), parked_by__isnull=False, asked__isnull=False)
    forgotten = dict(rows.values_list("run_id", "asked")[:limit])
    for run_id, asked in forgotten.items():
        with transaction.atomic():
            lock_runs([run_id])
            Spending.objects.filter(run_id=run_id, asked=asked).update(parked="", parked_by=None, asked=None)
            wake(run_id)
        ring([run_id])
    return len(forgotten)
