"""The list by a figure instead of by time: the longest runs first, or those that used the most.

Two roads lead to a page, and both are bounded. Where few runs fit, all of them are put in order. Where many do, who
sees every run goes down the index of the figure. For anybody else that walk would go past runs of other teams, and
where it stopped would tell of them: the order is refused then, with what to ask instead.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from perdure.dashboard.run_list.drivers import MANY
from perdure.dashboard.run_list.filters import RunFilter
from perdure.dashboard.run_list.search import FIRST_SLICE, GROWTH, LONGEST_SECONDS, TEXTS, Found, Search, Slice
from runs import clock
from runs.models import Run, RunUsage, Took

FEW = 5_000
"""Runs that one request puts in order."""

SLACK = timedelta(hours=1)
"""Less than a list by time has: all runs of the time asked for are counted."""

AT_ONCE = 2_000
"""Runs of one slice of the walk."""

Ranked = tuple[UUID, Any]
"""A run and its figure."""


class TooMany(Exception):
    """More runs fit than one request puts in order."""


@dataclass(frozen=True)
class Ranking:
    """Runs that have a figure, and the index that holds them by it; `key` is the column of the run's id there."""

    key: str
    rows: Callable[[], QuerySet[Any]]

    def all(self, runs: QuerySet[Any, Any] | list[UUID]) -> list[Ranked]:
        """Those of the runs that have the figure, the highest first. Sorted here: see `Search.matching`."""
        rows = self.rows().filter(**{f"{self.key}__in": runs}).order_by().values_list(self.key, "figure")
        return sorted(rows, key=lambda row: (row[1], row[0]), reverse=True)

    def next(self, start: Ranked | None, downwards: bool, size: int) -> list[Ranked]:
        """Up to so many that come after `start`, along the index."""
        rows, sign, beyond = self.rows(), "-" if downwards else "", "lt" if downwards else "gt"
        if start is not None:
            run_id, figure = start
            later = Q(**{f"figure__{beyond}": figure}) | Q(**{f"{self.key}__{beyond}": run_id})
            rows = rows.filter(later, **{f"figure__{beyond}e": figure})
        return list(rows.order_by(f"{sign}figure", f"{sign}{self.key}").values_list(self.key, "figure")[:size])

    def find(self, run_id: UUID) -> Ranked | None:
        found: Ranked | None = self.rows().filter(**{self.key: run_id}).values_list(self.key, "figure").first()
        return found


def _took() -> QuerySet[Any]:
    return Run.objects.filter(finished_at__isnull=False, started_at__isnull=False).annotate(figure=Took())


def _tokens() -> QuerySet[Any]:
    return RunUsage.objects.annotate(figure=F("input_tokens") + F("output_tokens")).filter(figure__gt=0)


def _cost() -> QuerySet[Any]:
    return RunUsage.objects.annotate(figure=F("cost")).filter(figure__gt=0)


RANKINGS = {"took": Ranking("id", _took), "tokens": Ranking("run_id", _tokens), "cost": Ranking("run_id", _cost)}
"""By the column that each goes by."""


def _after(ranked: list[Ranked], start: UUID | None, size: int) -> Found:
    ids = [run_id for run_id, _ in ranked]
    first = ids.index(start) + 1 if start in ids else 0
    return Found(ids[first : first + size + 1])


class RankedSearch:
    """Runs that somebody may see and that fit a filter, by the filter's figure; those without one are left out."""

    def __init__(self, user: Any, wanted: RunFilter) -> None:
        self._sees_all = bool(user.is_superuser)
        self._search, self._ranking = Search(user, wanted, SLACK), RANKINGS[wanted.ranked_by]

    def page(self, start: UUID | None, downwards: bool, size: int) -> Found:
        """Up to `size + 1` ids that come after `start`. Raises TooMany."""
        ranked = self._few()
        if ranked is not None:
            return _after(ranked if downwards else ranked[::-1], start, size)
        if not self._sees_all:
            raise TooMany
        return self._walk(start, downwards, size)

    def _few(self) -> list[Ranked] | None:
        """All that fit, the highest first; None where they are many, or many have to be looked at."""
        most = TEXTS if self._search.is_slow else MANY
        if self._search.count(most) >= most:
            return None
        whole = self._search.whole()
        fit = self._search.matching(whole) if self._search.is_slow else self._search.runs_in(whole).values("id")
        ranked = self._ranking.all(fit)
        return ranked if len(ranked) < FEW else None

    def _walk(self, start: UUID | None, downwards: bool, size: int) -> Found:
        found: list[UUID] = []
        looked_at, ends_at = 0, clock.monotonic() + LONGEST_SECONDS
        for ids, is_last in self._slices(start, downwards):
            looked_at += len(ids)
            fit = set(self._search.matching(Slice(Q(pk__in=ids), len(ids), None)))
            found += [run_id for run_id in ids if run_id in fit]
            if len(found) > size:
                return Found(found[: size + 1])
            if not is_last and (looked_at >= MANY or clock.monotonic() > ends_at):
                return Found(found, ids[-1])
        return Found(found)

    def _slices(self, start: UUID | None, downwards: bool) -> Iterator[tuple[list[UUID], bool]]:
        place, size = None if start is None else self._ranking.find(start), FIRST_SLICE
        most = TEXTS if self._search.is_slow else AT_ONCE
        while True:
            rows = self._ranking.next(place, downwards, size)
            is_last = len(rows) < size
            if rows:
                yield [run_id for run_id, _ in rows], is_last
            if is_last:
                return
            place, size = rows[-1], min(size * GROWTH, most)
