from django.db import models
from django.db.models import F, Q


class Rollout(models.Model):
    """What share of a job's new runs gets another version. Written by `runs.engine.store`."""

    job = models.CharField(max_length=200, primary_key=True)
    version = models.CharField(max_length=100, help_text="What the share gets.")
    base = models.CharField(max_length=100, help_text="What all others get.")
    percent = models.IntegerField(default=0, help_text="0 to 100 of the new runs.")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ("job",)
        constraints = (
            models.CheckConstraint(condition=Q(percent__gte=0, percent__lte=100), name="rollout_percent"),
            models.CheckConstraint(condition=~Q(version=F("base")), name="rollout_of_two_versions"),
        )

    def __str__(self) -> str:
        return f"{self.percent} % of {self.job} to version {self.version}"
