from django.core.validators import MinValueValidator
from django.db import models


class Queue(models.Model):
    """What an operator said of a named queue. A queue without a row goes by the setting RUNS_QUEUE_LIMITS."""

    name = models.CharField(max_length=100, unique=True)
    concurrency = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)],
        help_text="How many of its runs may be driven at once, over all workers; empty: as many as there is room for.",
    )  # fmt: skip
    is_paused = models.BooleanField(default=False, help_text="None of its runs is begun, woken or taken over.")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
