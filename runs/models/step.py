from django.db import models

from runs.models.of_run import of_run


class StepStatus(models.TextChoices):
    RUNNING = "running"  # an attempt was started and its end is not recorded
    RETRYING = "retrying"  # an attempt failed; the next one is due at `wake_at`
    COMPLETED = "completed"  # recorded: its function is never called again
    FAILED = "failed"  # no attempt left; replay raises the same error
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    STOPPED = "stopped"  # at work when its run failed; a retry of the run begins it again


class Step(models.Model):
    """One named unit of a run whose result is recorded once and replayed ever after."""

    run = of_run("steps")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, help_text="run, stream, ...: a replay must meet the same.")
    branch = models.CharField(max_length=200, default="", help_text="Path of the asyncio task that called it.")
    position = models.IntegerField(default=0, help_text="Its place in the branch, from 0.")
    status = models.CharField(max_length=10, choices=StepStatus)
    attempts = models.IntegerField(default=0, help_text="Invocations so far, crashed ones included.")
    failures = models.IntegerField(default=0, help_text="Attempts that failed; retries count these.")
    output = models.JSONField(null=True, blank=True)
    secrets = models.JSONField(default=list, blank=True, help_text="Paths in the output that doors show as ***.")
    error = models.JSONField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)
    is_tentative = models.BooleanField(
        default=False, db_default=False, help_text="Recorded after a failure that was retried: the run may go without."
    )

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["run", "name"], name="step_name_once_per_run"),)

    def __str__(self) -> str:
        return self.name


class AttemptOutcome(models.TextChoices):
    OPEN = "open"  # it runs, or its worker died
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"  # its worker died; a later attempt took its place


class Attempt(models.Model):
    """One actual invocation of a step's function."""

    run = of_run("attempts")
    step_name = models.CharField(max_length=200)
    number = models.IntegerField(help_text="From 1 in its step.")
    epoch = models.BigIntegerField(help_text="The lease token under which it ran.")
    outcome = models.CharField(max_length=10, choices=AttemptOutcome, default=AttemptOutcome.OPEN)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    error = models.JSONField(null=True, blank=True)
    usage = models.JSONField(
        null=True, blank=True, help_text='{"provider", "model", "input_tokens", "output_tokens", "cost"}'
    )
    is_counted = models.BooleanField(default=False, db_default=False, help_text="Its usage is in that of its hour.")

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["run", "step_name", "number"], name="attempt_once"),)
        indexes = (
            # Only those with a usage enter it, and leave it some seconds later.
            models.Index(
                fields=["id"], condition=models.Q(usage__isnull=False, is_counted=False), name="attempt_uncounted"
            ),
        )

    def __str__(self) -> str:
        return f"{self.step_name} #{self.number}"
