"""The other rows of the engine in the admin."""

from django.contrib import admin
from django.utils.safestring import SafeString
from unfold.decorators import display

from runs import jobs
from runs.admin.base import STATUS_LABELS, EngineAdmin, as_error, as_json, moment
from runs.models import (
    Allowance,
    Artifact,
    Attempt,
    Audit,
    Checkpoint,
    Event,
    RunUsage,
    Signal,
    Spending,
    State,
    Step,
    UsageHour,
)


@admin.register(Step)
class StepAdmin(EngineAdmin):
    list_display = ("name", "run", "kind", "shown_status", "attempts", "started_at", "finished_at")
    list_filter = ("status", "kind")
    list_select_related = ("run",)
    search_fields = ("name", "=run__id")
    exclude = ("output", "secrets", "status", "error")
    readonly_fields = ("shown_status", "shown_output", "shown_error")

    @display(description="Status", ordering="status", label=STATUS_LABELS)  # type: ignore[untyped-decorator]
    def shown_status(self, step: Step) -> str:
        return step.status

    @admin.display(description="Output")
    def shown_output(self, step: Step) -> SafeString:
        return as_json(jobs.redact(step.output, step.secrets))

    @admin.display(description="Error")
    def shown_error(self, step: Step) -> SafeString | str:
        return as_error(step.error)


@admin.register(Attempt)
class AttemptAdmin(EngineAdmin):
    list_display = ("step_name", "number", "run", "shown_outcome", "epoch", "started_at", "ended_at")
    list_filter = ("outcome",)
    list_select_related = ("run",)
    search_fields = ("step_name", "=run__id")

    @display(description="Outcome", ordering="outcome", label=STATUS_LABELS)  # type: ignore[untyped-decorator]
    def shown_outcome(self, attempt: Attempt) -> str:
        return attempt.outcome


@admin.register(Event)
class EventAdmin(EngineAdmin):
    list_display = ("sequence", "type", "run", "step", "attempt", "created_at")
    list_filter = ("type",)
    list_select_related = ("run",)
    search_fields = ("=run__id",)
    ordering = ("-pk",)


@admin.register(Checkpoint)
class CheckpointAdmin(EngineAdmin):
    list_display = ("step_name", "number", "attempt", "run", "size", "created_at")
    list_select_related = ("run",)
    search_fields = ("step_name", "=run__id")
    exclude = ("state", "secrets")
    readonly_fields = ("shown_state",)

    @admin.display(description="State")
    def shown_state(self, checkpoint: Checkpoint) -> SafeString:
        return as_json(jobs.redact(checkpoint.state, checkpoint.secrets))


@admin.register(Artifact)
class ArtifactAdmin(EngineAdmin):
    list_display = ("name", "version", "run", "media_type", "size", "created_at")
    list_filter = ("media_type",)
    list_select_related = ("run",)
    search_fields = ("name", "=run__id")
    ordering = ("-pk",)


@admin.register(Signal)
class SignalAdmin(EngineAdmin):
    list_display = ("name", "kind", "run", "created_at", "consumed_by", "consumed_at")
    list_filter = ("kind",)
    list_select_related = ("run",)
    search_fields = ("=name", "=run__id")
    ordering = ("-pk",)


@admin.register(State)
class StateAdmin(EngineAdmin):
    list_display = ("run",)
    list_select_related = ("run",)
    search_fields = ("=run__id",)
    ordering = ("-run",)
    exclude = ("value",)
    readonly_fields = ("shown_value",)

    @admin.display(description="Value")
    def shown_value(self, state: State) -> SafeString:
        return as_json(state.value)


@admin.register(Allowance)
class AllowanceAdmin(EngineAdmin):
    """More is granted by an answer, by REST or in Python: not by a change of numbers here."""

    list_display = ("run", "shown_limits", "shown_granted")
    list_select_related = ("run",)
    search_fields = ("=run__id",)
    ordering = ("-run",)

    @admin.display(description="Hard limits")
    def shown_limits(self, allowance: Allowance) -> str:
        return ", ".join(f"{name} {limit['hard']:g}" for name, limit in allowance.limits.items())

    @admin.display(description="Granted")
    def shown_granted(self, allowance: Allowance) -> str:
        return ", ".join(f"{name} {amount:g}" for name, amount in allowance.granted.items()) or "-"


@admin.register(Spending)
class SpendingAdmin(EngineAdmin):
    list_display = ("run_id", "allowance", "tokens", "cost", "steps", "parked")
    list_filter = ("parked",)
    search_fields = ("=run_id",)
    ordering = ("-run_id",)


@admin.register(UsageHour)
class UsageHourAdmin(EngineAdmin):
    list_display = ("hour", "job", "provider", "model", "team", "owner", "attempts", "input_tokens", "output_tokens")
    list_filter = ("provider", "model", "hour")
    list_select_related = ("team", "owner")
    search_fields = ("=job",)


@admin.register(RunUsage)
class RunUsageAdmin(EngineAdmin):
    list_display = ("run", "attempts", "input_tokens", "output_tokens", "cost")
    list_select_related = ("run",)
    search_fields = ("=run__id",)
    ordering = ("-run",)


@admin.register(Audit)
class AuditAdmin(EngineAdmin):
    list_display = ("when", "action", "target", "actor_kind", "actor_name", "address")
    list_filter = ("action", "actor_kind", "at")
    search_fields = ("=target", "actor_name")

    @admin.display(description="At", ordering="at")
    def when(self, audit: Audit) -> SafeString | str:
        return moment(audit.at)
