from django.db import models

from runs.models.of_run import of_run


class Checkpoint(models.Model):
    """State that a step saved in the middle of an attempt, handed to its next attempt."""

    run = of_run("checkpoints")
    step_name = models.CharField(max_length=200)
    number = models.IntegerField(help_text="From 1 in its step, over all attempts.")
    attempt = models.IntegerField()
    state = models.JSONField(null=True)
    secrets = models.JSONField(default=list, blank=True, help_text="Paths in the state that doors show as ***.")
    size = models.IntegerField(help_text="Bytes of the state as JSON.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["run", "step_name", "number"], name="checkpoint_once"),)

    def __str__(self) -> str:
        return f"{self.step_name} {self.number}"
