from django.db import models

from runs.models.of_run import of_run


class Event(models.Model):
    """An entry of a run's append-only log; `sequence` counts from 1 without gaps in its run."""

    run = of_run("events")
    sequence = models.BigIntegerField()
    type = models.CharField(max_length=40)
    step = models.CharField(max_length=200, null=True, blank=True)
    attempt = models.IntegerField(null=True, blank=True)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("run", "sequence")
        constraints = (models.UniqueConstraint(fields=["run", "sequence"], name="event_sequence_once"),)

    def __str__(self) -> str:
        return f"{self.sequence} {self.type}"
