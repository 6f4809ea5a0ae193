"""Budgets as people meet them: what is left, and who may grant more."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from runs.budgets import Limit
from runs.engine.store import budgets
from runs.engine.store.balances import limits_of, totals_of
from runs.engine.store.rows import SYSTEM, Actor
from runs.models import Allowance, Run, Spending


@dataclass(frozen=True, slots=True)
class BudgetState:
    """The budget that a run spends from; `budget_of` is the run whose it is, itself or an ancestor.

    `limits` as they are now, with what was `granted`; `spent` by that run and all its children, money in its unit and
    time in seconds. `parked`: the limit at which this run waits for more.
    """

    budget_of: UUID
    limits: dict[str, Limit]
    granted: dict[str, float]
    spent: dict[str, float]
    parked: str
    starter_may_grant: bool


def budget_state(run: Run) -> BudgetState | None:
    """None for a run without a budget."""
    return budget_states([run]).get(run.id)


def budget_states(runs: Iterable[Run]) -> dict[UUID, BudgetState]:
    """Of those that have one, by run; a few queries for all."""
    spending = {run.id: run.budget_of for run in runs if run.budget_of is not None}
    if not spending:
        return {}
    rows = {row.run_id: row for row in Allowance.objects.filter(run_id__in=set(spending.values()))}
    totals = totals_of(rows)
    parked = dict(Spending.objects.filter(run_id__in=list(spending)).values_list("run_id", "parked"))
    return {
        run_id: BudgetState(
            budget_of, limits_of(rows[budget_of]), rows[budget_of].granted,
            totals[budget_of].as_json(rows[budget_of].limits), parked.get(run_id, ""),
            rows[budget_of].starter_may_grant,
        )
        for run_id, budget_of in spending.items() if budget_of in rows
    }  # fmt: skip


def may_grant(user: Any, run: Run) -> bool:
    """Whether `user` may grant more of the budget that counts for the run: the team of the run whose it is, and
    administrators; who started that only where its job says so. Raises RunWithoutBudget."""
    allowance = Allowance.objects.select_related("run").get(run_id=budgets.find(run.id))
    if not user.is_authenticated or not user.is_active:
        return False
    if user.is_superuser or allowance.run.owner_id == user.pk:
        return bool(user.is_superuser or allowance.starter_may_grant)
    team = allowance.run.team_id
    return bool(team is not None and user.groups.filter(pk=team).exists())


def grant(run_id: UUID | str, amounts: dict[str, float], *, actor: Actor = SYSTEM) -> None:
    """Add `amounts` (`{"tokens": 1000}`) to the hard limits that count for the run; whatever is parked there goes on,
    and what people were asked about it is withdrawn.

    Raises RunNotFound, RunAlreadyEnded, RunWithoutBudget, InvalidOption.
    """
    budgets.grant(budgets.find(run_id), amounts, actor)


def settle_budget(budget_of: UUID, limit: str, amounts: dict[str, float] | None, *, actor: Actor) -> None:
    """What people decided about a limit of the run whose budget it is: so much more, or None: no more than that, and
    steps that would begin raise BudgetExceeded; a retry of the run asks anew.

    Raises what `grant` raises.
    """
    if amounts is None:
        budgets.deny(budget_of, limit, actor)
    else:
        budgets.grant(budget_of, amounts, actor)


def hold_budget(budget_of: UUID) -> None:
    """Lock a run's budget in the caller's transaction, before its run. Raises RunWithoutBudget."""
    budgets.hold(budget_of)
