from django.db import models
from django.db.models import Q

from runs.models.run import Run


class SignalKind(models.TextChoices):
    SIGNAL = "signal"  # waits for a `wait_for_signal`
    UPDATE = "update"  # runs a handler of the job inside the run


class Signal(models.Model):
    """A durable message to a run, a signal or an update: consumed once, in order of arrival."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="signals")
    kind = models.CharField(max_length=10, choices=SignalKind, default=SignalKind.SIGNAL)
    name = models.CharField(max_length=200)
    payload = models.JSONField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=200, null=True, blank=True)
    actor = models.JSONField(default=dict, help_text='{"kind", "id", "name"}')
    created_at = models.DateTimeField()
    consumed_by = models.CharField(
        max_length=200, null=True, blank=True, help_text="The step that took it, or the branch of an update."
    )
    consumed_at = models.DateTimeField(null=True, blank=True)
    result = models.JSONField(null=True, blank=True, help_text="What an update's handler returned.")
    error = models.JSONField(null=True, blank=True, help_text='{"type", "message"} of an update that failed')

    effect = models.JSONField(
        null=True,
        blank=True,
        help_text='Of an update: what it has "seen" of the state; at its end what it "set" and "drop"ped, '
        'and its "place" among the steps of the job, for a replay.',
    )

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=["run", "idempotency_key"], condition=Q(idempotency_key__isnull=False), name="signal_once"
            ),
        )
        indexes = (models.Index(fields=["run", "id"], condition=Q(consumed_by=None), name="signal_unconsumed"),)

    def __str__(self) -> str:
        return f"{self.name} {self.id}"
