from django.conf import settings
from django.db import models
from django.db.models import F

from runs.models.run import Run


class UsageHour(models.Model):
    """What the attempts that ended in one hour have used, by whose runs, of which job and by which model.

    It outlives the runs: what was paid is not forgotten with them.
    """

    key = models.CharField(max_length=64, primary_key=True, editable=False, help_text="SHA-256 of what it is of.")
    hour = models.DateTimeField(help_text="Its beginning, UTC.")
    job = models.CharField(max_length=200)
    provider = models.CharField(max_length=100, blank=True, default="")
    model = models.CharField(max_length=200, blank=True, default="", help_text="Empty: the attempt named none.")
    team = models.ForeignKey("auth.Group", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    attempts = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cost = models.BigIntegerField(default=0, help_text="In billionths.")

    class Meta:
        ordering = ("-hour", "job")
        indexes = (models.Index(fields=["hour"], name="usage_by_hour"),)

    def __str__(self) -> str:
        return f"{self.job} {self.hour:%Y-%m-%d %H}h"


class RunUsage(models.Model):
    """What the counted attempts of one run have used: lists show it and go by it without reading attempts.

    Beside the run and not in it: a column that grows with each step would cost every update of a run an index entry.
    The database does not check the run: whoever deletes one waits for nobody who adds to its usage.
    """

    run = models.OneToOneField(
        Run, on_delete=models.CASCADE, primary_key=True, related_name="usage", db_constraint=False
    )
    attempts = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cost = models.BigIntegerField(default=0, help_text="In billionths.")

    class Meta:
        ordering = ("run",)
        indexes = (
            models.Index((F("input_tokens") + F("output_tokens")).desc(), F("run").desc(), name="usage_by_tokens"),
            models.Index(F("cost").desc(), F("run").desc(), name="usage_by_cost"),
        )

    def __str__(self) -> str:
        return f"Usage of {self.run_id}"
