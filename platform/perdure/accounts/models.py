from django.conf import settings
from django.db import models


class Scope(models.TextChoices):
    FULL = "full", "Everything its user may do"
    READ = "read", "Only reading"


class ApiToken(models.Model):
    """A named key with which a program acts as its user. Only the digest is kept; the token itself is shown once."""

    name = models.CharField(max_length=100, help_text="What uses it, so that you know what stops when you revoke it.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    prefix = models.CharField(max_length=20, editable=False, help_text="The token's first letters, to recognise it by.")
    digest = models.CharField(max_length=64, unique=True, editable=False, help_text="SHA-256 of the token.")
    scope = models.CharField(
        max_length=10, choices=Scope, default=Scope.FULL, help_text="One that only reads can change nothing."
    )
    created_at = models.DateTimeField(editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: it does not expire.")
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="To the minute.")
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("-id",)
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"


class OneTimeLink(models.Model):
    """A link that signs its user in once, soon after it was made. Only the digest is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"link of {self.user_id}"


class SignInWindow(models.Model):
    """How many sign-ins failed for one key (a user name at an address, or an address) since the window opened."""

    key = models.CharField(max_length=64, primary_key=True, help_text="SHA-256, so that no mistyped password is kept.")
    failures = models.IntegerField(default=0)
    ends_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.failures} until {self.ends_at}"
