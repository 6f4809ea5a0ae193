"""What runs ask people, and what people decided."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from uuid_utils.compat import uuid7

from runs.models import Run


class Kind(models.TextChoices):
    APPROVAL = "approval"
    INPUT = "input"
    CHOICE = "choice"
    TOOL_CALL = "tool_call"
    LIMIT = "limit"


class QuestionStatus(models.TextChoices):
    OPEN = "open"
    ANSWERED = "answered"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Decision(models.TextChoices):
    APPROVE = "approve"
    DENY = "deny"
    SUBMIT = "submit"
    CHOOSE = "choose"


DECISIONS: dict[str, tuple[str, ...]] = {
    Kind.APPROVAL: (Decision.APPROVE, Decision.DENY),
    Kind.INPUT: (Decision.SUBMIT,),
    Kind.CHOICE: (Decision.CHOOSE,),
    Kind.TOOL_CALL: (Decision.APPROVE, Decision.DENY),
    Kind.LIMIT: (Decision.APPROVE, Decision.DENY),
}
"""The decisions that each kind takes; the first is the one that a value comes with."""


class Question(models.Model):
    """What a run asks people. It waits in the run until enough of them answered or its deadline came."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="questions")
    step = models.CharField(max_length=200, help_text="The step that asked.")
    kind = models.CharField(max_length=20, choices=Kind)
    title = models.CharField(max_length=180)
    body = models.TextField(blank=True, default="", help_text="Markdown.")
    schema = models.JSONField(null=True, blank=True, help_text="JSON Schema of the value.")
    choices = models.JSONField(default=list, blank=True)
    context = models.JSONField(null=True, blank=True, help_text="What is shown with it: a diff, a table, JSON.")
    status = models.CharField(max_length=20, choices=QuestionStatus, default=QuestionStatus.OPEN)
    people = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="questions", blank=True)
    groups = models.ManyToManyField(Group, related_name="questions", blank=True)
    delegated_by = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="+", blank=True, help_text="Others answer in their place."
    )
    budget_of = models.UUIDField(
        null=True, blank=True, help_text="The run whose budget is spent; an answer grants more, or denies it."
    )
    quorum = models.PositiveSmallIntegerField(default=1, help_text="How many people's answers it takes.")
    starter_may_answer = models.BooleanField(default=False)
    deadline = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    escalate_to = models.JSONField(default=list, blank=True, help_text="User names and group:<name>.")
    escalate_at = models.DateTimeField(null=True, blank=True, help_text="Then those in escalate_to may answer too.")
    escalated_at = models.DateTimeField(null=True, blank=True)
    digest = models.CharField(max_length=64, help_text="SHA-256 of what is shown; an answer names it.")
    outcome = models.JSONField(null=True, blank=True, help_text='{"decision", "value", "answers"}')
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=["run", "step"], name="question_of_step"),)
        indexes = (
            models.Index(fields=["id"], condition=models.Q(status="open"), name="question_open"),
            models.Index(
                fields=["budget_of"], condition=models.Q(budget_of__isnull=False, status="open"), name="question_budget"
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def shown_status(self) -> str:
        """A question whose run ended without it can no longer be answered."""
        if self.status == QuestionStatus.OPEN and self.run.has_ended:
            return QuestionStatus.WITHDRAWN
        return self.status

    @property
    def decisions(self) -> tuple[str, ...]:
        return DECISIONS[self.kind]

    @property
    def signal(self) -> str:
        """The signal that tells the run of its end."""
        return f"question:{self.id}"


class Answer(models.Model):
    """What one person decided."""

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="answers")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(max_length=200)
    decision = models.CharField(max_length=20, choices=Decision)
    value = models.JSONField(null=True, blank=True)
    changes = models.JSONField(default=list, blank=True, help_text="RFC 6902: what was edited of what was shown.")
    comment = models.TextField(blank=True, default="")
    digest = models.CharField(max_length=64, help_text="Of what was shown.")
    idempotency_key = models.CharField(max_length=200, null=True, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["question", "by", "digest"], name="answer_once"),)

    def __str__(self) -> str:
        return f"{self.decision} by {self.by_name}"


class Comment(models.Model):
    """What somebody said about a question without deciding it."""

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="comments")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(max_length=200)
    text = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.by_name}: {self.text[:60]}"


class Channel(models.TextChoices):
    EMAIL = "email", "E-mail"
    WEBHOOK = "webhook"


class About(models.TextChoices):
    ASKED = "asked"
    REVISED = "revised"
    REMINDED = "reminded"
    ESCALATED = "escalated"
    DELEGATED = "delegated"
    CLOSED = "closed"


class DeliveryStatus(models.TextChoices):
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


class Delivery(models.Model):
    """A message about a question, written in the transaction of what it tells; workers send it until it is taken.

    It may arrive twice, with the same id: then the answer of its receiver was lost.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=20, choices=Channel)
    about = models.CharField(max_length=20, choices=About)
    to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+",
        help_text="Empty: the webhook.",
    )  # fmt: skip
    data = models.JSONField(default=dict, blank=True, help_text="What the webhook gets.")
    status = models.CharField(max_length=20, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True, default="", help_text="Why it was not sent, or not yet.")
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="When a worker tries next.")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "deliveries"
        indexes = (
            models.Index(fields=["channel", "due_at"], condition=models.Q(status="pending"), name="delivery_due"),
        )

    def __str__(self) -> str:
        return f"{self.about} by {self.channel}"


class MailChoice(models.Model):
    """Whether a person wants mails about questions; without a row they do."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="mail_choice"
    )
    wanted = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"{self.user}: {'mails' if self.wanted else 'no mails'}"
