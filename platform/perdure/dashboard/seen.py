"""The newest runs that somebody may see, read once for all that a page says of them.

A superuser's looks go along the index of a status. No index knows who may see a run: so for others the newest of their
own and of each of their teams are read, each along its index, and beside them the newest of all of a status, since few
run or wait at one time.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from runs.jobs import visible_runs
from runs.models import Run

DEPTH = 2_000
"""So many of each: what is older is left to the list of runs."""
_OF_A_STATUS = 500


class Row(NamedTuple):
    """What is read of each run."""

    id: UUID
    status: str
    finished_at: datetime | None
    started_at: datetime | None
    run_at: datetime
    created_at: datetime


class Seen:
    """What `user` may see; they are signed in and active."""

    def __init__(self, user: Any) -> None:
        self.user = user

    def ids(self, *statuses: str, most: int, oldest: bool = False) -> list[UUID]:
        """Up to `most` of these statuses, the newest first, or the oldest."""
        found = {run_id for status in statuses for run_id in self._of(status, most, oldest)}
        return sorted(found, reverse=not oldest)[:most]

    def mine(self, *statuses: str, most: int) -> list[UUID]:
        """The newest that the user started."""
        own = Run.objects.filter(owner=self.user).order_by("-id").values_list("id", "status")[:DEPTH]
        return [run_id for run_id, status in own if status in statuses][:most]

    def runs(self, ids: list[UUID]) -> QuerySet[Run]:
        """The runs with these ids that the user may see, without what may be large and is not shown."""
        return visible_runs(self.user).filter(id__in=ids).select_related("owner", "team").defer("output", "notes")

    def ended(self, most: int) -> list[Row]:
        """The newest that have ended."""
        ended = Run.objects.filter(finished_at__isnull=False).order_by("-finished_at")
        if self.user.is_superuser:
            return [Row(*row) for row in ended.values_list(*Row._fields)[:most]]
        rows = [row for row in self._rows.values() if row.finished_at is not None]
        return sorted(rows, key=lambda row: row.finished_at or row.created_at, reverse=True)[:most]

    def _of(self, status: str, most: int, oldest: bool) -> Iterator[UUID]:
        of_status = Run.objects.filter(status=status).order_by("id" if oldest else "-id").values_list("id", flat=True)
        if self.user.is_superuser:
            yield from of_status[:most]
            return
        yield from (row.id for row in self._rows.values() if row.status == status)
        yield from visible_runs(self.user).filter(id__in=list(of_status[:_OF_A_STATUS])).values_list("id", flat=True)

    @cached_property
    def _rows(self) -> dict[UUID, Row]:
        return {row[0]: Row(*row) for way in self._ways() for row in way.values_list(*Row._fields)[:DEPTH]}

    def _ways(self) -> Iterator[QuerySet[Run]]:
        """The ways by which `visible_runs` lets a person see a run."""
        yield Run.objects.filter(owner=self.user).order_by("-id")
        for team in self.user.groups.order_by("id").values_list("id", flat=True):
            yield Run.objects.filter(team=team).order_by("-id")
