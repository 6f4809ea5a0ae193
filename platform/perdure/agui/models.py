"""What the server keeps of conversations with AG-UI frontends: threads, their turns, and what was said in them.

A turn is one durable run. A frontend meets it as one or more protocol runs: each time people are asked, the protocol's
run ends with an interrupt, and the answer begins the next one of the same turn.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from runs.models import Run


class Thread(models.Model):
    """A conversation. Its name on the wire (`threadId`) is chosen by the client and unique here."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    thread_id = models.CharField(max_length=256, unique=True, help_text="The client's name for it: threadId.")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey("auth.Group", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    title = models.CharField(max_length=200, blank=True, default="")
    agent = models.CharField(max_length=200, blank=True, default="", help_text="The job or pipeline of its last turn.")
    state = models.JSONField(default=dict, blank=True, help_text="The shared state after its last settled turn.")
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ("-updated_at", "-id")
        permissions = (("start_inline", "Can start workflows that are sent with the request"),)
        indexes = (
            models.Index(fields=["owner", "-updated_at", "-id"], name="thread_by_owner"),
            models.Index(fields=["team", "-updated_at", "-id"], condition=Q(team__isnull=False), name="thread_by_team"),
        )

    def __str__(self) -> str:
        return self.title or self.thread_id


class Turn(models.Model):
    """One durable run of a thread: from what the user sent to the answer, over all interrupts between."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="turns")
    number = models.PositiveIntegerField(help_text="From 1 in its thread.")
    run = models.OneToOneField(Run, null=True, on_delete=models.SET_NULL, related_name="agui_turn")
    status = models.CharField(
        max_length=10, blank=True, default="", help_text="How its run ended (completed, failed, cancelled)."
    )
    settled_at = models.DateTimeField(
        null=True, blank=True, help_text="When its messages were written; what its run's log tells comes after that."
    )
    settled_until = models.BigIntegerField(default=0, help_text="The run's sequence that they were read up to.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=["thread", "number"], name="turn_number"),)

    def __str__(self) -> str:
        return f"Turn {self.number}"


class ProtocolRun(models.Model):
    """A run as the protocol knows it: what a client sees from one RUN_STARTED to its terminal event.

    It tells the run's log from `after_sequence` on, up to the next place where people are asked or the run ends. A
    client that goes on after an interrupt under the same runId gets the next `part`.
    """

    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="protocol_runs")
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="+")
    run_id = models.CharField(max_length=256, help_text="The client's name for it: runId.")
    part = models.PositiveSmallIntegerField(default=1)
    parent_run_id = models.CharField(max_length=256, blank=True, default="")
    protocol_version = models.CharField(max_length=20, blank=True, default="", help_text="Empty: a 0.x client.")
    after_sequence = models.BigIntegerField(default=0)
    has_gap = models.BooleanField(
        default=False, help_text="The client was not told all before it, so it begins with snapshots."
    )
    input_digest = models.CharField(max_length=64, blank=True, default="", help_text="SHA-256 of the client's input.")
    input = models.JSONField(default=dict, blank=True, help_text="The client's input, without its messages.")
    outcome = models.JSONField(null=True, blank=True, help_text="The terminal event, once the turn is settled.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["thread", "run_id", "part"], name="protocol_run_part"),)
        indexes = (models.Index(fields=["run_id"], name="protocol_run_by_id"),)

    def __str__(self) -> str:
        return f"{self.run_id} ({self.part})"


class ThreadMessage(models.Model):
    """A message of a thread, as the protocol has it. Written once: what a client sends of it later changes nothing."""

    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="messages")
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="messages")
    position = models.PositiveIntegerField(help_text="From 1 in its thread.")
    message_id = models.CharField(max_length=256)
    role = models.CharField(max_length=20)
    is_input = models.BooleanField(default=False, help_text="A client sent it; else the turn's run said it.")
    data = models.JSONField(help_text="The message in the protocol's words (camelCase).")
    model_message = models.JSONField(
        null=True, blank=True, help_text="The same as models are told it, where the protocol's words do not hold all."
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=["thread", "position"], name="thread_message_position"),
            models.UniqueConstraint(fields=["thread", "message_id"], name="thread_message_id"),
        )

    def __str__(self) -> str:
        return f"{self.role} {self.position}"
