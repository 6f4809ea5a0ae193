from django.conf import settings
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7


class Overlap(models.TextChoices):
    SKIP = "skip"  # nothing is started while a run of the schedule is under way
    QUEUE = "queue"  # runs of the schedule go on one after the other, in order
    ALLOW = "allow"  # side by side


class CatchUp(models.TextChoices):
    NONE = "none"  # what was missed is gone
    LAST = "last"  # of what was missed the newest is started
    ALL = "all"  # everything that was missed is started, in order


class Schedule(models.Model):
    """When a job is started by itself: by cron, or once. Fired by the drivers; written by `runs.engine.store`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=200)
    job = models.CharField(max_length=200)
    job_version = models.CharField(max_length=100, blank=True, default="", help_text="Empty: the newest.")
    input = models.JSONField(null=True, blank=True)
    secrets = models.JSONField(default=list, blank=True, help_text="Paths in the input that doors show as ***.")
    labels = models.JSONField(default=dict, blank=True)
    queue = models.CharField(max_length=100, blank=True, default="", help_text="Empty: the job's own.")
    priority = models.IntegerField(default=0, help_text="Higher goes first.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    team = models.ForeignKey("auth.Group", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    cron = models.CharField(max_length=200, blank=True, default="", help_text="Five fields; empty where it is once.")
    timezone = models.CharField(max_length=64, default="UTC", help_text="IANA name of the zone that cron is read in.")
    at = models.DateTimeField(null=True, blank=True, help_text="The one time, where there is no cron.")
    overlap = models.CharField(max_length=5, choices=Overlap, default=Overlap.SKIP)
    catch_up = models.CharField(max_length=4, choices=CatchUp, default=CatchUp.LAST)
    catch_up_seconds = models.IntegerField(default=86_400, help_text="What is missed for longer is not made up for.")
    is_paused = models.BooleanField(default=False)
    next_at = models.DateTimeField(null=True, blank=True, help_text="None: paused, or over.")
    last_at = models.DateTimeField(null=True, blank=True, help_text="The time of the last run that it started.")
    last_run = models.UUIDField(null=True, blank=True, help_text="That run's id; the run may be gone.")
    skipped = models.IntegerField(default=0, help_text="Times at which a run was still under way.")
    last_skipped_at = models.DateTimeField(null=True, blank=True)
    missed = models.IntegerField(default=0, help_text="Times that passed without a driver and are not made up for.")
    last_missed_at = models.DateTimeField(null=True, blank=True)
    failed = models.IntegerField(default=0, help_text="Times at which no run could be started.")
    error = models.JSONField(
        null=True, blank=True, help_text='{"code", "message", "at"} of the last time, if it failed'
    )
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(cron="", at__isnull=False) | (~Q(cron="") & Q(at__isnull=True)), name="schedule_cron_or_at"
            ),
            models.UniqueConstraint(
                fields=["team", "name"], condition=Q(team__isnull=False), name="schedule_name_in_team"
            ),
            models.UniqueConstraint(
                fields=["owner", "name"],
                condition=Q(team__isnull=True, owner__isnull=False),
                name="schedule_name_of_owner",
            ),
            models.UniqueConstraint(
                fields=["name"], condition=Q(team__isnull=True, owner__isnull=True), name="schedule_name_unowned"
            ),
        )
        indexes = (models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="schedule_due"),)

    def __str__(self) -> str:
        return self.name

    @property
    def concurrency_key(self) -> str:
        """The key of its runs where they may not overlap."""
        return f"schedule:{self.id}"

    @property
    def status(self) -> str:
        """active, paused, failing (no run could be started the last time) or over."""
        if self.is_paused:
            return "paused"
        if self.error:
            return "failing"
        return "active" if self.next_at else "over"
