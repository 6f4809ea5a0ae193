"""Runs that somebody may see and that fit a filter, in the order of their ids."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from perdure.dashboard.fingerprints import errors_of, fingerprint
from perdure.dashboard.run_list.drivers import MANY, choose_driver
from perdure.dashboard.run_list.filters import RunFilter
from runs import clock
from runs.jobs import visible_runs
from runs.models import Run

FIRST_SLICE, GROWTH, TEXTS = 64, 16, 500
LONGEST_SECONDS = 0.06
"""So long one request looks; what it has not come to is offered, never left out in silence."""

SLACK = timedelta(days=1)
"""To spare for clocks that differ."""


@dataclass(frozen=True)
class Slice:
    """A range of ids with about `size` runs of the driver in it; without `last` there is none behind it."""

    where: Q
    size: int
    last: UUID | None


@dataclass(frozen=True)
class Found:
    """The ids of one page and one more if there is one; `stopped_at`: the last one looked at, where time was up."""

    ids: list[UUID]
    stopped_at: UUID | None = None


class Search:
    """A walk along one index, in slices that grow; each slice is narrowed by the whole filter."""

    def __init__(self, user: Any, wanted: RunFilter, slack: timedelta = SLACK) -> None:
        self.user, self.wanted = user, wanted
        self.runs: QuerySet[Run] = wanted.narrow(visible_runs(user))
        self._driver = choose_driver(user, wanted)
        self._span = _ids_between(*wanted.span, slack)

    @property
    def is_slow(self) -> bool:
        """Is each row read and computed on, beyond what stands in its columns?"""
        return bool(self.wanted.text or self.wanted.fingerprint)

    def count(self, limit: int) -> int:
        """How many runs the index has in the time asked for, at most `limit`: so many have to be looked at."""
        return self._driver.size(limit, self._span)

    def whole(self) -> Slice:
        """All of them at once."""
        return Slice(self._driver.any & self._span, 0, None)

    def page(self, start: UUID | None, newest_first: bool, size: int) -> Found:
        """Up to `size + 1` ids that come after `start`, from as many rows as one request looks at."""
        found: list[UUID] = []
        looked_at, ends_at = 0, clock.monotonic() + LONGEST_SECONDS
        for one in self.slices(start, newest_first):
            looked_at += one.size
            found += self.matching(one, newest_first)
            if len(found) > size:
                return Found(found[: size + 1])
            if one.last is not None and (looked_at >= MANY or clock.monotonic() > ends_at):
                return Found(found, one.last)
        return Found(found)

    def slices(
        self, start: UUID | None, newest_first: bool, *, first: int | None = None, most: int = MANY
    ) -> Iterator[Slice]:
        """The index behind `start`, in ranges of ids; the `first` one is small, since most pages are found in it."""
        size, most = first or FIRST_SLICE, min(most, TEXTS) if self.is_slow else most
        while True:
            behind = Q() if start is None else Q(id__lt=start) if newest_first else Q(id__gt=start)
            within = self._span & behind
            start = self._driver.boundary(within, newest_first, size)
            up_to = Q() if start is None else Q(id__gte=start) if newest_first else Q(id__lte=start)
            yield Slice(self._driver.any & within & up_to, size, start)
            if start is None:
                return
            size = min(size * GROWTH, most)

    def runs_in(self, one: Slice) -> QuerySet[Run]:
        """Those that fit, as far as a database can tell; in no order."""
        return self.runs.filter(one.where).order_by()

    def matching(self, one: Slice, newest_first: bool = True) -> list[UUID]:
        """The ids of the runs in it that fit. Sorted here: a database that is asked for an order and a limit may walk
        another index."""
        runs = self.runs_in(one)
        if not self.wanted.fingerprint:
            return sorted(runs.values_list("id", flat=True), reverse=newest_first)
        # No database can tell causes apart.
        causes = ((pk, fingerprint({"type": kind, "message": said})) for pk, kind, said in errors_of(runs))
        return sorted((pk for pk, cause in causes if cause == self.wanted.fingerprint), reverse=newest_first)


def _ids_between(since: datetime | None, until: datetime | None, slack: timedelta) -> Q:
    """The ids that runs of that time can have: they begin with it."""
    span = Q()
    if since is not None:
        span &= Q(id__gte=_first_id(since, -slack))
    if until is not None:
        span &= Q(id__lt=_first_id(until, slack))
    return span


def _first_id(at: datetime, slack: timedelta) -> UUID:
    try:
        milliseconds = int((at + slack).timestamp() * 1000)
    except OverflowError:  # beyond the first or the last year that there is
        milliseconds = 0 if slack < timedelta() else 2**48 - 1
    return UUID(int=max(0, min(milliseconds, 2**48 - 1)) << 80)
