"""What runs have used, from the sums of the hours: no attempt is read, however many there are."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.contrib.auth.models import Group
from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDate

from perdure.dashboard.charts.points import Series
from perdure.dashboard.usage.numbers import amount
from runs import clock
from runs.jobs import visible_usage
from runs.models import UsageHour

COST_UNIT = 10**9
RANGES = (7, 30, 90)
"""Days."""
_NAMES = ("day", "job", "provider", "model", "team")
_NAMED = 5
"""Series of the chart that have a name; the rest is one."""


class Figures(NamedTuple):
    """Calls of models, tokens in and out, money in its unit."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    def plus(self, other: "Figures") -> "Figures":
        return Figures(*(one + more for one, more in zip(self, other, strict=True)))  # type: ignore[arg-type]


class Row(NamedTuple):
    """One day of one job, model and team."""

    day: date
    job: str
    provider: str
    model: str
    team: str
    figures: Figures


@dataclass(frozen=True)
class Share:
    """What one job, model or team used; `part` of the whole, in percent."""

    name: str
    figures: Figures
    part: int


@dataclass(frozen=True)
class Usage:
    """The last `days` days, today included. `measure` is what the chart and the order go by: tokens or cost."""

    days: int
    measure: str
    total: Figures
    labels: list[str]
    series: list[Series]
    by_job: list[Share]
    by_model: list[Share]
    by_team: list[Share]

    @property
    def tokens_hint(self) -> str:
        return f"{amount(self.total.input_tokens)} in, {amount(self.total.output_tokens)} out"

    @property
    def chart_label(self) -> str:
        return f"{'Cost' if self.measure == 'cost' else 'Tokens'} of each of the last {self.days} days, by job"


def read_rows(user: Any, days: int) -> list[Row]:
    """By day, of what `user` may see, the oldest first."""
    first = _today() - timedelta(days=days - 1)
    hours = visible_usage(user).filter(hour__gte=_start_of(first)).annotate(day=TruncDate("hour", tzinfo=UTC))
    sums = hours.order_by().values_list(*_NAMES).annotate(**_SUMS)
    teams = dict(Group.objects.values_list("id", "name"))
    rows = [
        Row(day, job, provider, model, teams.get(team, ""), _figures(*figures))
        for day, job, provider, model, team, *figures in sums
    ]
    return sorted(rows)


def read_usage(user: Any, days: int, measure: str) -> Usage:
    """`measure` is tokens or cost."""
    rows = read_rows(user, days)
    by_job = _shares(rows, lambda row: row.job, measure)
    all_days = [_today() - timedelta(days=ago) for ago in reversed(range(days))]
    return Usage(
        days=days, measure=measure, total=_sum(row.figures for row in rows),
        labels=[f"{day:%d %b}" for day in all_days],
        series=_series(rows, all_days, [share.name for share in by_job], measure),
        by_job=by_job,
        by_model=_shares(rows, lambda row: f"{row.provider}: {row.model}".removeprefix(": ") or "not named", measure),
        by_team=_shares(rows, lambda row: row.team or "no team", measure),
    )  # fmt: skip


def value_of(figures: Figures, measure: str) -> float:
    return figures.cost if measure == "cost" else figures.tokens


def sum_of(hours: QuerySet[UsageHour]) -> Figures:
    found = hours.aggregate(**_SUMS)
    return _figures(*(found[name] or 0 for name in _SUMS))


def start_of_today() -> datetime:
    return _start_of(_today())


_SUMS: dict[str, Any] = {
    "calls": Sum("attempts"), "tokens_in": Sum("input_tokens"), "tokens_out": Sum("output_tokens"),
    "money": Sum("cost"),
}  # fmt: skip


def _figures(calls: int, tokens_in: int, tokens_out: int, money: int) -> Figures:
    return Figures(int(calls), int(tokens_in), int(tokens_out), int(money) / COST_UNIT)


def _sum(all_figures: Iterable[Figures]) -> Figures:
    total = Figures()
    for figures in all_figures:
        total = total.plus(figures)
    return total


def _shares(rows: list[Row], name_of: Callable[[Row], str], measure: str) -> list[Share]:
    """The largest first."""
    found: dict[str, Figures] = {}
    for row in rows:
        name = name_of(row)
        found[name] = found.get(name, Figures()).plus(row.figures)
    whole = value_of(_sum(found.values()), measure) or 1
    shares = [Share(name, used, round(100 * value_of(used, measure) / whole)) for name, used in found.items()]
    return sorted(shares, key=lambda share: (-value_of(share.figures, measure), share.name))


def _series(rows: list[Row], days: list[date], jobs: list[str], measure: str) -> list[Series]:
    named = jobs if len(jobs) <= _NAMED + 1 else [*jobs[:_NAMED], "all others"]
    places = {day: number for number, day in enumerate(days)}
    values = {name: [0.0] * len(days) for name in named}
    for row in rows:
        name = row.job if row.job in values else "all others"
        if row.day in places:
            values[name][places[row.day]] += value_of(row.figures, measure)
    return [Series(name, values[name]) for name in named]


def _today() -> date:
    return clock.now().astimezone(UTC).date()


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
