from django.conf import settings
from django.db import models
from django.db.models import Q


class SavedView(models.Model):
    """A filtered list of runs under a name: one person's, or a team's."""

    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2000, blank=True, help_text="The filters as the address of the list has them.")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(
        "auth.Group", null=True, blank=True, on_delete=models.CASCADE, related_name="+",
        help_text="Whose members see it and may delete it; without one it is its owner's alone.",
    )  # fmt: skip
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(fields=["owner", "name"], condition=Q(team=None), name="view_named_by_owner"),
            models.UniqueConstraint(fields=["team", "name"], condition=~Q(team=None), name="view_named_by_team"),
        )

    def __str__(self) -> str:
        return self.name
