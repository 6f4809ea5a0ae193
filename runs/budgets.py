"""What a run and its children may spend, as data, and the seam by which an app asks people for more. No database."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol
from uuid import UUID

from runs.errors import InvalidOption

NAMES = ("tokens", "cost", "steps", "active_seconds")
"""What is limited: tokens in and out, money in the unit in which attempts tell it, steps, and time worked."""

_SOFT_SHARE = 0.8
_WHOLE = ("tokens", "steps")
LARGEST = 1e9
"""Of money and seconds; of tokens and steps a million times as many. Sums of them fit into 64 bits."""


@dataclass(frozen=True, slots=True)
class Limit:
    """From `soft` on there is a warning, from `hard` on nothing new begins."""

    soft: float
    hard: float

    @classmethod
    def of(cls, name: str, value: Any) -> "Limit":
        """A number is the hard limit, and the soft one is 80 % of it. Raises InvalidOption."""
        if isinstance(value, Mapping) and set(value) <= {"soft", "hard"} and "hard" in value:
            hard = checked(name, value["hard"])
            return cls(checked(name, value.get("soft", hard * _SOFT_SHARE)), hard)._ordered(name)
        if isinstance(value, Limit):
            return cls(checked(name, value.soft), checked(name, value.hard))._ordered(name)
        hard = checked(name, value)
        return cls(hard * _SOFT_SHARE, hard)

    def _ordered(self, name: str) -> "Limit":
        if self.soft > self.hard:
            raise InvalidOption(f"budget.{name}", "has a soft limit above its hard one", "Give soft <= hard.")
        return self

    def as_json(self) -> dict[str, float]:
        return {"soft": self.soft, "hard": self.hard}


def checked(name: str, value: Any) -> float:
    """An amount of `name` as it may be limited or granted. Raises InvalidOption."""
    most = LARGEST * (1e6 if name in _WHOLE else 1)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise InvalidOption(f"budget.{name}", f"is no number from 0 to {most:.0f}", "Give one, as in 1000.")
    return int(value) if value == int(value) else float(value)


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The limits of a run with all its children; None: no limit. With `starter_may_grant` who started the run may
    grant more; else the run's team does, and administrators."""

    tokens: Limit | float | None = None
    cost: Limit | float | None = None
    steps: Limit | float | None = None
    active_seconds: Limit | float | None = None
    starter_may_grant: bool = False

    def __post_init__(self) -> None:
        self.limits()

    @classmethod
    def of(cls, value: "Budget | Mapping[str, Any] | None") -> "Budget | None":
        """None where nothing is limited. Raises InvalidOption."""
        if isinstance(value, Mapping):
            if unknown := sorted(set(value) - {field.name for field in fields(cls)}, key=str):
                raise InvalidOption(f"budget.{unknown[0]}", "is no limit", f"Use {', '.join(NAMES)}.")
            value = cls(**value)
        return value if value is not None and value.limits() else None

    def limits(self) -> dict[str, Limit]:
        """The limits that there are, by name. Raises InvalidOption."""
        return {name: Limit.of(name, getattr(self, name)) for name in NAMES if getattr(self, name) is not None}

    def tightened(self, by: "Budget | None") -> "Budget":
        """With the limits of `by` in place of its own. Raises InvalidOption where one of them is larger: whoever
        starts a run does not decide what its job may spend."""
        own, wanted = self.limits(), by.limits() if by is not None else {}
        for name, limit in wanted.items():
            if name in own and limit.hard > own[name].hard:
                problem = f"is {limit.hard:g} and the job allows {own[name].hard:g}"
                raise InvalidOption(f"budget.{name}", problem, "Start with less, and let more be granted later.")
        return Budget(**(own | wanted), starter_may_grant=self.starter_may_grant)

    def no_more_than(self, most: "Budget | None") -> "Budget":
        """Its limits, each cut to that of `most`."""
        own, bounds = self.limits(), most.limits() if most is not None else {}
        cut = {name: bounds[name] for name in own if name in bounds and bounds[name].hard < own[name].hard}
        return Budget(**(own | cut), starter_may_grant=self.starter_may_grant)


@dataclass(frozen=True, kw_only=True)
class LimitReached:
    """What people are asked about: the run whose log says it, the run whose budget it is, and the numbers.

    `limits` are all of its hard limits as they are now, `started_with` as they were at its start, `spent` by it and
    its children. `by` names who met it.
    """

    run_id: UUID
    budget_of: UUID
    name: str
    limits: dict[str, float]
    started_with: dict[str, float]
    spent: dict[str, float]
    starter_may_grant: bool
    by: str


class Asker(Protocol):
    """Who asks people for more. All are called in the transaction of what they belong to."""

    def hold(self, budget_of: UUID) -> None:
        """Lock what is asked about this budget: it goes before the budget and its runs."""

    def ask(self, reached: LimitReached) -> None:
        """Ask; whoever is asked calls `jobs.settle_budget`."""

    def withdraw(self, budget_of: UUID, reason: str) -> None:
        """It was decided otherwise."""


_askers: list[Asker] = []


def ask_by(asker: Asker) -> None:
    """Register who asks; the last one counts. Belongs in an app's `ready`."""
    _askers[:] = [asker]


def find_asker() -> Asker | None:
    return _askers[0] if _askers else None
