from django.db import models

from runs.models.run import Run


class Allowance(models.Model):
    """The budget of a run and its children, as it is now. Whoever changes it locks it before the runs that it is of."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, primary_key=True, related_name="allowance")
    above = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="below",
        help_text="What is spent from this one is spent from that one too.",
    )  # fmt: skip
    limits = models.JSONField(default=dict, help_text='{"tokens": {"soft", "hard"}, ...} as the run was started')
    granted = models.JSONField(default=dict, blank=True, help_text="What people added to the hard limits.")
    warned = models.JSONField(default=dict, blank=True, help_text="The soft limits that were warned of.")
    told = models.JSONField(
        default=dict, blank=True, help_text="{limit: {run: hard limit}}: where its end was told and people were asked."
    )
    denied = models.JSONField(default=dict, blank=True, help_text="The hard limits beyond which nothing is granted.")
    starter_may_grant = models.BooleanField(default=False)

    class Meta:
        ordering = ("run",)

    def __str__(self) -> str:
        return f"Budget of {self.run_id}"


class Spending(models.Model):
    """What one run has spent, written in the transitions that record its attempts. It outlives the run."""

    run_id = models.UUIDField(primary_key=True)
    allowance = models.ForeignKey(Allowance, on_delete=models.CASCADE, related_name="spendings")
    tokens = models.BigIntegerField(default=0, db_default=0)
    cost = models.BigIntegerField(default=0, db_default=0, help_text="In billionths.")
    steps = models.BigIntegerField(default=0, db_default=0)
    active_ms = models.BigIntegerField(
        default=0, db_default=0, help_text="Time worked that the run's own row has no more: before a retry."
    )
    parked = models.CharField(max_length=20, blank=True, default="", help_text="The limit at which the run waits.")
    parked_by = models.UUIDField(null=True, blank=True, help_text="The run whose limit that is.")
    asked = models.UUIDField(null=True, blank=True, help_text="The run in whose name people are asked for more.")

    class Meta:
        ordering = ("run_id",)
        indexes = (
            models.Index(fields=["parked_by"], condition=models.Q(parked_by__isnull=False), name="spending_parked"),
        )

    def __str__(self) -> str:
        return f"Spending of {self.run_id}"
