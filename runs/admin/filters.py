"""Filters of the list of runs."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from runs import jobs
from runs.maintenance.invariants import INVARIANTS
from runs.maintenance.stranded import stranded, unserved
from runs.models import Run


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
    """Runs that are due and cannot go on."""

    title = "what is wrong"
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]") -> list[tuple[str, str]]:
        return [
            ("no-version", "No worker has the version"),
            ("no-queue", "No worker serves the queue"),
            ("left", "Left by a dead worker"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        if self.value() == "no-version":
            return queryset.filter(pk__in=stranded().order_by().values("pk"))
        if self.value() == "no-queue":
            return queryset.filter(pk__in=unserved().order_by().values("pk"))
        if self.value() == "left":
            return queryset.filter(pk__in=[row[0] for row in INVARIANTS["left_by_the_dead"].query(None)])
        return queryset
