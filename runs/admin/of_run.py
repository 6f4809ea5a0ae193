"""The rows of one run, shown below it."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display

from runs.admin.base import STATUS_LABELS, ReadOnly
from runs.models import Artifact, Attempt, Event, Signal, Step

INLINE_ROWS = 50


class OfRun(ReadOnly, TabularInline):  # type: ignore[misc]  # unfold has no types
    """The newest rows of one run; a run may hold many thousands."""

    extra = 0
    tab = True
    show_change_link = True
    verbose_name_plural = ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        try:
            run_id = UUID(request.resolver_match.kwargs["object_id"])  # type: ignore[union-attr]
        except (KeyError, ValueError):
            rows = rows.none()
            return rows
        # A subquery, because the formset filters again, which a sliced query refuses.
        newest = self.model.objects.filter(run_id=run_id).order_by("-pk").values("pk")[:INLINE_ROWS]
        found: QuerySet[Any] = rows.filter(pk__in=newest)
        return found


class StepsOfRun(OfRun):
    model = Step
    verbose_name_plural = f"Steps (newest {INLINE_ROWS})"
    fields = ("name", "kind", "shown_status", "attempts", "started_at", "finished_at")
    readonly_fields = ("shown_status",)

    @display(description="Status", label=STATUS_LABELS)  # type: ignore[untyped-decorator]
    def shown_status(self, step: Step) -> str:
        return step.status


class AttemptsOfRun(OfRun):
    model = Attempt
    verbose_name_plural = f"Attempts (newest {INLINE_ROWS})"
    fields = ("step_name", "number", "outcome", "epoch", "started_at", "ended_at")


class ArtifactsOfRun(OfRun):
    model = Artifact
    verbose_name_plural = f"Artefacts (newest {INLINE_ROWS})"
    fields = ("name", "version", "media_type", "size", "step_name", "created_at")


class SignalsOfRun(OfRun):
    model = Signal
    verbose_name_plural = f"Signals (newest {INLINE_ROWS})"
    fields = ("name", "kind", "created_at", "consumed_by", "consumed_at")


class EventsOfRun(OfRun):
    model = Event
    verbose_name_plural = f"Events (newest {INLINE_ROWS})"
    fields = ("sequence", "type", "step", "attempt", "created_at")
    ordering = ("-sequence",)
