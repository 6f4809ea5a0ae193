"""Which index a search goes along. What the database would try row by row is tried on a bounded number of rows.

PostgreSQL guesses how many rows fit two filters at once, and guesses wrong where they depend on each other: then it
walks the whole table backwards for a page of fifty. So the walk is ours: along one index, in ranges of ids.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group, User
from django.db.models import Q

from perdure.dashboard.run_list.filters import RunFilter
from runs.models import Run

MANY = 10_000
"""Rows that one request looks at; an index with fewer that fit answers it whole."""


@dataclass(frozen=True)
class Driver:
    """Conditions that one index each answers in the order of ids; a run fits one of them or several."""

    branches: tuple[Q, ...]

    def size(self, limit: int, within: Q | None = None) -> int:
        """How many runs, at most `limit`; `within` is a range of ids."""
        total = 0
        for branch in self.branches:
            total += Run.objects.filter(branch, within or Q()).order_by()[: limit - total].count()
        return min(total, limit)

    @property
    def any(self) -> Q:
        """Fits one of the branches; nothing, where there are none."""
        found = Q(pk__in=[])
        for branch in self.branches:
            found |= branch
        return found if all(self.branches) else Q()

    def boundary(self, within: Q, newest_first: bool, size: int) -> UUID | None:
        """The id up to which no branch has more than `size` runs `within` a range of ids; None: none has so many."""
        order = "-id" if newest_first else "id"
        ends: list[UUID] = []
        for branch in self.branches:
            ids = Run.objects.filter(branch, within).order_by(order).values_list("id", flat=True)
            ends += ids[size - 1 : size]
        if not ends:
            return None
        return max(ends) if newest_first else min(ends)


def choose_driver(user: Any, wanted: RunFilter) -> Driver:
    """The first driver that has few runs; where none has, that of all that a person may see."""
    drivers = list(_drivers(user, wanted))
    for driver in drivers:
        if len(drivers) == 1 or driver.size(MANY) < MANY:
            return driver
    return drivers[0] if user.is_superuser else drivers[-1]


def _drivers(user: Any, wanted: RunFilter) -> Iterator[Driver]:
    if wanted.owner:
        yield Driver(tuple(Q(owner=pk) for pk in _ids_of(User, username=wanted.owner)))
    if wanted.team:
        yield Driver(tuple(Q(team=pk) for pk in _ids_of(Group, name=wanted.team)))
    if wanted.job:
        yield Driver((Q(job=wanted.job),))
    statuses = ("failed",) if wanted.fingerprint else wanted.statuses
    if statuses:
        yield Driver(tuple(Q(status=status) for status in statuses))
    if not user.is_superuser:
        teams = user.groups.order_by("id").values_list("id", flat=True)
        yield Driver((Q(owner=user.pk), *(Q(team=pk) for pk in teams)))
    elif not (wanted.owner or wanted.team or wanted.job or statuses):
        yield Driver((Q(),))


def _ids_of(model: Any, **named: str) -> list[Any]:
    return list(model.objects.filter(**named).values_list("pk", flat=True))
