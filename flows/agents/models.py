"""Definitions that were stored, and those that runs are pinned to."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Origin(models.TextChoices):
    FILE = "file"  # an app's file that a run was started from
    STORED = "stored"  # given over REST or in the admin


class FlowDefinition(models.Model):
    """One version of an agent flow, never changed: runs are pinned to it by its digest."""

    name = models.CharField(max_length=64)
    version = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the definition.")
    document = models.JSONField(help_text="The definition, with every default and every file written out.")
    source = models.TextField(help_text="The YAML or JSON as it was given.")
    origin = models.CharField(max_length=10, choices=Origin)
    created_at = models.DateTimeField()
    creator = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ("name", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=["name", "version"], condition=Q(origin="stored"), name="flow_version_stored_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.version}"
