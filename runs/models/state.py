from django.db import models

from runs.models.run import Run


class State(models.Model):
    """The JSON document of a run, written in the same transition as the event of its change."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, primary_key=True, related_name="state")
    value = models.JSONField(default=dict)

    class Meta:
        ordering = ("run",)

    def __str__(self) -> str:
        return f"State of {self.run_id}"
