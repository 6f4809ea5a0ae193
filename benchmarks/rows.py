"""One line of the table: what was measured, who took how long, and whether the goal is met."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

OURS = "Perdure"
FLOOR = "floor"


@dataclass(frozen=True)
class Goal:
    """At most (or at least) `limit`: times what `than` took, or in the row's own unit when that is empty."""

    limit: float
    than: str = ""
    at_least: bool = False

    @property
    def text(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return f"{sign} {number(self.limit)}" + (f" × {self.than}" if self.than else "")

    def is_met(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit


def at_most(limit: float, than: str = "") -> Goal:
    return Goal(limit, than)


def at_least(limit: float, than: str = "") -> Goal:
    return Goal(limit, than, at_least=True)


@dataclass(frozen=True)
class Row:
    """`figures` holds, by who was measured (OURS, FLOOR, a peer), one figure in `unit` for each repetition.

    A headline stands in README too.
    """

    work: str
    unit: str
    figures: dict[str, list[float]]
    goals: tuple[Goal, ...] = ()
    database: str = "PostgreSQL"
    note: str = ""
    is_headline: bool = False

    @property
    def ours(self) -> float:
        return self.median(OURS)

    @property
    def others(self) -> list[str]:
        return [name for name in self.figures if name != OURS]

    def median(self, name: str) -> float:
        return statistics.median(self.figures[name])

    def ratio(self, than: str) -> float:
        """Ours by theirs: the median of each repetition's own ratio, since a machine's speed drifts between them."""
        pairs = zip(self.figures[OURS], self.figures[than], strict=True)
        return statistics.median(ours / theirs for ours, theirs in pairs)

    def value_for(self, goal: Goal) -> float | None:
        """What the goal is compared with; None when the other was not measured."""
        if not goal.than:
            return self.ours
        return self.ratio(goal.than) if goal.than in self.figures else None

    def verdict(self, goal: Goal) -> str:
        """`met`, `missed` or `not measured`."""
        value = self.value_for(goal)
        if value is None:
            return "not measured"
        return "met" if goal.is_met(value) else "missed"

    def as_data(self) -> dict[str, Any]:
        goals = [
            {"text": goal.text, "value": self.value_for(goal), "verdict": self.verdict(goal)} for goal in self.goals
        ]
        return {
            "work": self.work, "database": self.database, "unit": self.unit, "figures": self.figures,
            "medians": {name: self.median(name) for name in self.figures},
            "ratios": {name: self.ratio(name) for name in self.others}, "goals": goals, "note": self.note,
            "is_headline": self.is_headline,
        }  # fmt: skip


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of all do not exceed. Raises ValueError when there is none."""
    if not values:
        raise ValueError("a percentile needs at least one value")
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


def number(value: float) -> str:
    """Three significant digits, thousands apart: `0.27`, `12.4`, `20,000`."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
