from django.db import models


class Audit(models.Model):
    """Who did what, from where. Rows outlive the runs that they name."""

    at = models.DateTimeField(db_index=True)
    actor_kind = models.CharField(max_length=20, help_text="user, token, schedule, system or worker.")
    actor_id = models.CharField(max_length=64, blank=True, default="")
    actor_name = models.CharField(max_length=200, blank=True, default="")
    action = models.CharField(max_length=60, help_text="run.start, run.cancel, run.delete, ...")
    target = models.CharField(max_length=200, db_index=True, help_text="Id of the run or of what else was touched.")
    data = models.JSONField(default=dict, blank=True)
    address = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.action} {self.target}"
