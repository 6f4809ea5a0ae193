"""What an invariant is, and the seam by which other apps add theirs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from runs import clock
from runs.models import Run

LATE: Final = timedelta(seconds=60)
"""What the sweeper and the drivers do within a second or two."""

Ids = list[UUID] | None
"""The runs to look at; None: all."""

Rows = Iterable[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Violation:
    """One run of which `invariant` does not hold; `detail` says where."""

    invariant: str
    run: UUID
    detail: str = ""

    @classmethod
    def of(cls, invariant: str, row: tuple[Any, ...]) -> "Violation":
        run, *where = row
        return cls(invariant, run, " ".join(str(part) for part in where if part not in (None, "")))


@dataclass(frozen=True, slots=True)
class Invariant:
    """`query(ids)` gives a row for each violation, the run's id first; it asks once, so it sees what was committed
    together, or none of it. `mend(run)`, with the run's row locked, makes it hold again and says what it did."""

    name: str
    holds: str
    query: Callable[[Ids], Rows]
    mend: Callable[[Run], str] | None = None

    @property
    def is_mended(self) -> bool:
        """Whether workers make it hold again."""
        return self.mend is not None


INVARIANTS: Final[dict[str, Invariant]] = {}
"""By name, as people meet it."""


def register(invariant: Invariant) -> None:
    """Belongs in an app's `ready`; the same name replaces."""
    INVARIANTS[invariant.name] = invariant


def among(ids: Ids, field: str = "id") -> Q:
    """Rows of these runs, by the column that names their run."""
    return Q() if ids is None else Q(**{f"{field}__in": ids})


def late() -> datetime:
    """What was to be done by then is late."""
    return clock.now() - LATE
