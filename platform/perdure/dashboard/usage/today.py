"""What today has used so far, and how much of the day's budgets that is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from perdure.dashboard.charts.points import Point, points_of
from perdure.dashboard.usage.figures import Figures, start_of_today, sum_of
from perdure.dashboard.usage.numbers import amount
from runs import clock
from runs.jobs import visible_usage
from runs.models import UsageHour

EVERYTHING = "*"
"""The name of the budget for all teams together."""
_NEARLY = 0.8


@dataclass(frozen=True)
class BudgetLine:
    """One limit for the day; `state` is open, nearly or spent."""

    whose: str
    what: str
    spent: str
    limit: str
    share: float
    state: str


@dataclass(frozen=True)
class Today:
    """`before` is yesterday at the same time; `hours` are the tokens of each of the last 24 hours."""

    used: Figures
    before: Figures
    hours: list[Point]
    budgets: list[BudgetLine]

    @property
    def hint(self) -> str:
        return f"{amount(self.before.tokens)} yesterday by now"


def read_today(user: Any) -> Today:
    """Of what `user` may see. The budget of a team shows to its members, that of everything to those who see all."""
    today, hours = start_of_today(), visible_usage(user)
    day = timedelta(days=1)
    until = clock.now() - day
    return Today(
        used=sum_of(hours.filter(hour__gte=today)),
        before=sum_of(hours.filter(hour__gte=today - day, hour__lte=until)),
        hours=_by_hour(hours),
        budgets=[line for whose, limits in settings.DAY_BUDGETS.items() for line in _lines(user, whose, limits)],
    )


def _by_hour(hours: QuerySet[UsageHour]) -> list[Point]:
    first = clock.now().astimezone(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=23)
    sums = dict.fromkeys((first + timedelta(hours=number) for number in range(24)), 0)
    for hour, tokens_in, tokens_out in hours.filter(hour__gte=first).values_list(
        "hour", "input_tokens", "output_tokens"
    ):
        if hour in sums:
            sums[hour] += tokens_in + tokens_out
    return points_of([(f"{hour:%H:%M}", tokens) for hour, tokens in sums.items()], lambda value: amount(int(value)))


def _lines(user: Any, whose: str, limits: Mapping[Any, float]) -> list[BudgetLine]:
    rows = UsageHour.objects.filter(hour__gte=start_of_today())
    if whose != EVERYTHING:
        if not (user.is_superuser or user.groups.filter(name=whose).exists()):
            return []
        rows = rows.filter(team__name=whose)
    elif not user.is_superuser:
        return []
    used = sum_of(rows)
    spent = {"tokens": float(used.tokens), "cost": used.cost}
    return [_line(whose, what, spent[what], limit) for what, limit in limits.items()]


def _line(whose: str, what: str, spent: float, limit: float) -> BudgetLine:
    share = spent / limit if limit else 1.0
    state = "spent" if share >= 1 else "nearly" if share >= _NEARLY else "open"
    name = "All teams" if whose == EVERYTHING else whose
    return BudgetLine(
        name, "Tokens" if what == "tokens" else "Money", amount(spent), amount(limit), min(1, share), state
    )
