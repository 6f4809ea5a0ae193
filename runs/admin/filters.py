"""Filters of the list of runs."""

from collections.abc import Callable
from datetime import timedelta
from itertools import islice
from typing import Any, Final

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from runs import clock, jobs
from runs.maintenance.invariants import INVARIANTS
from runs.maintenance.reasons import HELD
from runs.maintenance.stranded import stranded, unserved
from runs.models import Run, RunStatus

LATE: Final = timedelta(minutes=5)
"""A run that has been due for so long is worth a look."""
MAX_BROKEN: Final = 1000
HELD_BY_ENGINE: Final = Q(status=RunStatus.PAUSED, reason__in=HELD)


class JobFilter(admin.SimpleListFilter):
    """By registered job: reading the distinct names of a million rows would take long."""

    title = "job"
    parameter_name = "job"

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> list[tuple[str, str]]:
        return [(name, name) for name in sorted({job.name for job in jobs.all_jobs()})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        known = {name for name, _ in self.lookup_choices}
        return queryset.filter(job=self.value()) if self.value() in known else queryset


class TroubleFilter(admin.SimpleListFilter):
    """Runs that cannot go on by themselves."""

    title = "what is wrong"
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> list[tuple[str, str]]:
        return [
            ("any", "Anything"),
            ("no-version", "No worker has the version"),
            ("no-queue", "No worker serves the queue"),
            ("left", "Left by a dead worker"),
            ("held", "Held by the engine"),
            ("late", "Due for five minutes"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        if self.value() == "any":
            return queryset.filter(_stranded() | _unserved() | _left() | HELD_BY_ENGINE)
        troubles: dict[str | None, Callable[[], Q]] = {
            "no-version": _stranded, "no-queue": _unserved, "left": _left, "late": _late,
            "held": lambda: HELD_BY_ENGINE,
        }  # fmt: skip
        return queryset.filter(troubles[self.value()]()) if self.value() in troubles else queryset


class InvariantFilter(admin.SimpleListFilter):
    """Runs that break an invariant: to be chosen and acted on together. It reads many rows, so it may be asked by those
    only who may check."""

    title = "broken invariant"
    parameter_name = "invariant"

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> list[tuple[str, str]]:
        may = request.user.has_perm("runs.check_invariants")
        return [(name, name.replace("_", " ")) for name in INVARIANTS] if may else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        known = {name for name, _ in self.lookup_choices}
        if self.value() not in known:
            return queryset
        rows = islice(INVARIANTS[str(self.value())].query(None), MAX_BROKEN)
        return queryset.filter(pk__in={row[0] for row in rows})


def _stranded() -> Q:
    return Q(pk__in=stranded().order_by().values("pk"))


def _unserved() -> Q:
    return Q(pk__in=unserved().order_by().values("pk"))


def _left() -> Q:
    return Q(pk__in=[row[0] for row in islice(INVARIANTS["left_by_the_dead"].query(None), MAX_BROKEN)])


def _late() -> Q:
    return Q(status=RunStatus.QUEUED, due_at__lte=clock.now() - LATE)
