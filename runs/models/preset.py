from django.conf import settings
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7


class Preset(models.Model):
    """A job with an input and labels under a name, to be started again and again."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=200)
    job = models.CharField(max_length=200)
    input = models.JSONField(null=True, blank=True)
    secrets = models.JSONField(default=list, blank=True, help_text="Paths in the input that doors show as ***.")
    labels = models.JSONField(default=dict, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    team = models.ForeignKey("auth.Group", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["team", "name"], condition=Q(team__isnull=False), name="preset_name_in_team"
            ),
            models.UniqueConstraint(
                fields=["owner", "name"],
                condition=Q(team__isnull=True, owner__isnull=False),
                name="preset_name_of_owner",
            ),
            models.UniqueConstraint(
                fields=["name"], condition=Q(team__isnull=True, owner__isnull=True), name="preset_name_unowned"
            ),
        )

    def __str__(self) -> str:
        return self.name
