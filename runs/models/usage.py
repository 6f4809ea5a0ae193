from django.conf import settings
from django.db import models


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
