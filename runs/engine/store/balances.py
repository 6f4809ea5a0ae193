"""What is left of budgets: read from what their runs have spent, which each run's own transitions have added up."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple
from uuid import UUID

from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from runs import clock
from runs.budgets import NAMES, Limit
from runs.engine.store.spent import COST_UNIT
from runs.models import Allowance, Run, RunStatus, Spending, Worker

_SCALES = {"tokens": 1, "cost": COST_UNIT, "steps": 1, "active_seconds": 1000}


class Total(NamedTuple):
    """Tokens, money in billionths, steps, milliseconds of work."""

    tokens: int = 0
    cost: int = 0
    steps: int = 0
    active_seconds: int = 0

    def plus(self, other: "Total") -> "Total":
        return Total(*(one + more for one, more in zip(self, other, strict=True)))

    def reaches(self, name: str, limit: float) -> bool:
        # a limit such as 0.07 is no whole number of billionths when it is multiplied
        return bool(getattr(self, name) >= math.ceil(round(limit * _SCALES[name], 3)))

    def amount(self, name: str) -> float:
        """As people count it: money in its unit, time in seconds."""
        scale = _SCALES[name]
        value: int = getattr(self, name)
        return value if scale == 1 else round(value / scale, 9)

    def as_json(self, names: Iterable[str] = NAMES) -> dict[str, float]:
        return {name: self.amount(name) for name in names}


def limits_of(allowance: Allowance) -> dict[str, Limit]:
    """As they are now: what was granted moves both."""
    found = {}
    for name, limit in allowance.limits.items():
        more = allowance.granted.get(name, 0)
        found[name] = Limit(limit["soft"] + more, limit["hard"] + more)
    return found


@dataclass(frozen=True, slots=True)
class Balance:
    """One budget that a run spends from: the row, and what all other runs have spent of it."""

    allowance: Allowance
    others: Total
    is_shared: bool

    @property
    def limits(self) -> dict[str, Limit]:
        return limits_of(self.allowance)


def read_balances(run_id: UUID, budget_of: UUID) -> list[Balance]:
    """Of each budget that the run spends from, the nearest first; empty where it was deleted."""
    return [_balance(allowance, run_id) for allowance in chain(budget_of)]


def chain(budget_of: UUID | None) -> list[Allowance]:
    """The budget of this run, and those above it."""
    found: list[Allowance] = []
    while budget_of is not None and (row := Allowance.objects.filter(run_id=budget_of).first()) is not None:
        found.append(row)
        budget_of = row.above_id
    return found


def _balance(allowance: Allowance, run_id: UUID) -> Balance:
    others = Spending.objects.filter(allowance__in=tree(allowance.run_id)).exclude(run_id=run_id)
    sums = sums_of(others)
    is_shared = allowance.run_id != run_id or bool(sums)
    return Balance(allowance, reduce(Total.plus, sums.values(), Total()), is_shared)


def tree(budget_of: UUID) -> list[UUID]:
    """This budget and those below it."""
    return list(tops_of([budget_of]))


def tops_of(budgets: Iterable[UUID]) -> dict[UUID, set[UUID]]:
    """These budgets and all below them, each with those of the given ones that it is spent from."""
    found = {budget: {budget} for budget in budgets}
    level = list(found)
    while level:
        below = {row.run_id: row.above_id for row in Allowance.objects.filter(above__in=level)}
        for budget, above in below.items():
            above_it = found[above] if above is not None else set()
            found[budget] = found.get(budget, set()) | above_it
        level = list(below)
    return found


def totals_of(budgets: Iterable[UUID]) -> dict[UUID, Total]:
    """What all runs have spent of each of these budgets."""
    tops = tops_of(budgets)
    totals = {budget: Total() for budget in budgets}
    for budget, total in sums_of(Spending.objects.filter(allowance__in=list(tops))).items():
        for top in tops[budget] & totals.keys():
            totals[top] = totals[top].plus(total)
    return totals


def sums_of(rows: QuerySet[Spending]) -> dict[UUID, Total]:
    """By the nearest budget; two queries."""
    of_run = Run.objects.filter(pk=OuterRef("run_id"))
    worked = Coalesce(Subquery(of_run.values("active_ms")[:1]), 0)
    summed = rows.order_by().values("allowance").annotate(
        all_tokens=Sum("tokens"), all_cost=Sum("cost"), all_steps=Sum("steps"), worked=Sum(F("active_ms") + worked)
    )  # fmt: skip
    names = ("allowance", "all_tokens", "all_cost", "all_steps", "worked")
    found = {budget: Total(*(int(value) for value in sums)) for budget, *sums in summed.values_list(*names)}
    # of what a dead worker holds nobody knows yet how long that worked: whoever takes it over adds that
    alive = Worker.objects.filter(expires_at__gt=clock.sql_now()).values("id")
    working = of_run.filter(status=RunStatus.RUNNING, lease_worker__in=alive).values("claimed_at")[:1]
    since = rows.order_by().annotate(since=Subquery(working)).filter(since__isnull=False)
    for budget, began_at in since.values_list("allowance", "since"):
        lately = max(0, int((clock.now() - began_at).total_seconds() * 1000))
        found[budget] = found[budget].plus(Total(active_seconds=lately))
    return found
