"""Provider profiles, and the calls of theirs that are under way."""

from django.core.validators import RegexValidator
from django.db import models

PROFILE_ID = r"[a-z0-9][a-z0-9._-]{0,99}"


class Kind(models.TextChoices):
    OPENAI = "openai", "OpenAI wire"
    OLLAMA = "ollama", "Ollama"
    ANTHROPIC = "anthropic", "Anthropic"
    SCRIPTED = "scripted", "Scripted provider"


class ProviderProfile(models.Model):
    """Where models are reached and how many calls go there at once. Its secret is named, never stored."""

    id = models.CharField(
        primary_key=True,
        max_length=100,
        validators=[RegexValidator(rf"^{PROFILE_ID}\Z", "Use small letters, digits, dots, hyphens and underscores.")],
    )
    kind = models.CharField(max_length=20, choices=Kind)
    base_uri = models.CharField(
        "base URI", max_length=500, blank=True, default="",
        help_text="As in http://localhost:11434/v1; empty for the vendor's own. A scripted provider with an address is "
        "OpenAI's wire there.",
    )  # fmt: skip
    default_model = models.CharField(max_length=200, blank=True, default="")
    api_key_env = models.CharField(
        "API key variable", max_length=200, blank=True, default="",
        help_text="Name of the environment variable of the workers that holds the secret.",
    )  # fmt: skip
    secret_file = models.CharField(
        max_length=500, blank=True, default="", help_text="Name of a file in the folder of secrets that holds it."
    )
    limits = models.JSONField(
        default=dict, blank=True,
        help_text='{"concurrency": calls at once over all workers, "timeout_seconds": longest silence, "max_tokens"}',
    )  # fmt: skip
    extra = models.JSONField(
        default=dict, blank=True,
        help_text='{"headers", "body"} sent with each call; for a scripted provider {"scenario"}.',
    )  # fmt: skip
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.id


class CallSlot(models.Model):
    """A place in the queue of a profile's calls: the first `limits.concurrency` live rows are under way.

    Numbers are given out under the profile's lock, so their order is that of their commits: nobody can come in before
    a row that was seen. A row lives as long as the row of the worker that drives its run.
    """

    profile = models.ForeignKey(ProviderProfile, on_delete=models.CASCADE, related_name="slots")
    ticket = models.UUIDField(unique=True, help_text="Made by who waits.")
    worker = models.UUIDField(help_text="Row of the worker that drives the run.")
    run_id = models.UUIDField()
    step = models.CharField(max_length=200)
    asked_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=["profile", "id"], name="slot_order"),)

    def __str__(self) -> str:
        return f"{self.profile_id}: {self.step}"
