from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7


class RunStatus(models.TextChoices):
    QUEUED = "queued"  # due at `due_at`; a worker will claim it
    RUNNING = "running"  # held by the worker in `lease_worker`, if that one lives
    WAITING = "waiting"  # unloaded; woken by `due_at` or by whoever adds to `inbox`
    PAUSED = "paused"  # held by a person or by the engine, which says why in `reason`
    COMPLETED = "completed"  # absorbing
    CANCELLED = "cancelled"  # absorbing
    FAILED = "failed"  # left only by an operator's retry


class EndHook(models.TextChoices):
    NONE = ""  # the job has no on_end, and nobody watches the ends of runs with its labels
    ARMED = "armed"  # the run has not ended yet
    DUE = "due"  # ended; a driver will call the hook
    DONE = "done"
    FAILED = "failed"  # it failed at each of its claims; the operators' log has the error


ENDED = (RunStatus.COMPLETED, RunStatus.CANCELLED, RunStatus.FAILED)
"""Statuses in which a run does no work."""


class Took(models.Func):
    """Seconds from the start of an ended run to its end, as `run_by_duration` holds them: written otherwise in a query,
    PostgreSQL would not find them there."""

    output_field = models.FloatField()

    def __init__(self) -> None:
        super().__init__("finished_at", "started_at")

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **options: Any) -> Any:
        template = "((julianday(%(finished)s) - julianday(%(started)s)) * 86400)"
        if connection.vendor == "postgresql":
            template = "(EXTRACT(EPOCH FROM (%(finished)s - %(started)s))::double precision)"
        finished, started = (compiler.compile(one)[0] for one in self.source_expressions)
        return template % {"finished": finished, "started": started}, []


class Run(models.Model):
    """One durable execution of a job. Every change goes through `runs.engine.store`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.CharField(max_length=200)
    job_version = models.CharField(max_length=100, default="1")
    queue = models.CharField(max_length=100, default="default")
    priority = models.IntegerField(default=0, help_text="Higher goes first.")
    status = models.CharField(max_length=10, choices=RunStatus, default=RunStatus.QUEUED)
    reason = models.CharField(max_length=200, blank=True, default="", help_text="Why it waits or is paused.")
    input = models.JSONField(null=True, blank=True)
    output = models.JSONField(null=True, blank=True)
    error = models.JSONField(null=True, blank=True, help_text='{"type", "message", "traceback"}')
    progress = models.JSONField(null=True, blank=True, help_text='{"current", "total", "message"}')
    labels = models.JSONField(default=dict, blank=True)
    # No index of its own for any of the five: most runs have none of them, and a row enters each index anew whenever
    # it is claimed and ended. Below are those of the rows that have one.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    team = models.ForeignKey(
        "auth.Group", null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="children", db_index=False
    )
    root = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    idempotency_key = models.CharField(max_length=200, null=True, blank=True)
    concurrency_key = models.CharField(max_length=200, null=True, blank=True)
    attempt = models.IntegerField(default=1, help_text="1, and one more for each retry of the whole run.")
    created_at = models.DateTimeField()
    run_at = models.DateTimeField(help_text="Not before this time.")
    due_at = models.DateTimeField(null=True, blank=True, help_text="When a worker may take it; none: until woken.")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    active_ms = models.BigIntegerField(default=0, help_text="Time worked, without waiting, up to the last release.")
    inbox = models.BigIntegerField(default=0, help_text="Raised by whoever can end a wait.")
    write_no = models.BigIntegerField(default=0, help_text="The worker's last write; makes unknown commits decidable.")
    lease_worker = models.UUIDField(null=True, blank=True)
    lease_token = models.BigIntegerField(default=0, help_text="The epoch: grows with each claim and with a cancel.")
    claims = models.IntegerField(default=0, help_text="Claims since the last recorded step.")
    first_sequence = models.BigIntegerField(default=1)
    last_sequence = models.BigIntegerField(default=0)
    pruned_at = models.DateTimeField(null=True, blank=True, help_text="When its history was removed.")
    secrets = models.JSONField(
        default=dict, blank=True, help_text='{"input": [path, ...], "output": [...]}: shown as ***'
    )
    notes = models.JSONField(
        default=dict, blank=True, help_text="{branch: log and progress events that the job's own code has written}"
    )
    concurrency_limit = models.IntegerField(default=1, help_text="How many runs of its key may be under way.")
    release_while_waiting = models.BooleanField(default=False, help_text="A waiting run does not hold its key.")
    pause_wanted = models.BooleanField(default=False, help_text="Pause at the next step boundary.")
    pause_event = models.JSONField(default=dict, blank=True, help_text='Its run:pause: {"actor", "reason"}')
    is_detached = models.BooleanField(default=False, help_text="A cancel of its parent does not reach it.")
    tell_parent = models.BooleanField(default=False, help_text="It has ended and its parent was not woken yet.")
    forked_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="forks", db_index=False
    )
    forked_step = models.CharField(max_length=200, blank=True, default="")
    budget_of = models.UUIDField(
        null=True, blank=True, help_text="The run whose budget it spends: itself or an ancestor."
    )
    end_hook = models.CharField(max_length=6, choices=EndHook, default=EndHook.NONE, blank=True)

    class Meta:
        ordering = ("-id",)
        permissions = (("check_invariants", "Can check the invariants"),)
        constraints = (
            models.UniqueConstraint(
                fields=["job", "team", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False, team__isnull=False),
                name="run_idempotent_in_team",
            ),
            models.UniqueConstraint(
                fields=["job", "owner", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False, team__isnull=True, owner__isnull=False),
                name="run_idempotent_for_owner",
            ),
            models.UniqueConstraint(
                fields=["job", "idempotency_key"],
                condition=Q(idempotency_key__isnull=False, team__isnull=True, owner__isnull=True),
                name="run_idempotent_unowned",
            ),
        )
        indexes = (
            models.Index(
                fields=["-priority", "due_at"],
                condition=Q(status__in=["queued", "waiting"], due_at__isnull=False),
                name="run_due",
            ),
            # A claim goes from group to group and reads none that it will not take.
            models.Index(
                fields=["queue", "job", "job_version", "priority", "due_at", "id"],
                condition=Q(status__in=["queued", "waiting"], due_at__isnull=False, concurrency_key=None),
                name="run_due_in_group",
            ),
            models.Index(
                fields=["job", "job_version", "due_at"],
                condition=Q(status__in=["queued", "waiting"], due_at__isnull=False, concurrency_key__isnull=False),
                name="run_due_with_key",
            ),
            # The next that becomes due, whatever its priority, among all that wait for a time.
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="run_due_next"),
            models.Index(fields=["lease_worker"], condition=Q(lease_worker__isnull=False), name="run_leased"),
            models.Index(fields=["id"], condition=Q(end_hook="due"), name="run_end_hook_due"),
            models.Index(fields=["id"], condition=Q(tell_parent=True), name="run_tells_parent"),
            models.Index(
                fields=["job", "concurrency_key"], condition=Q(concurrency_key__isnull=False), name="run_keyed"
            ),
            # A claim counts the holders of a key for each run that waits for it: not by reading those that wait.
            models.Index(
                fields=["job", "concurrency_key"],
                condition=Q(concurrency_key__isnull=False, started_at__isnull=False, finished_at=None),
                name="run_holds_key",
            ),
            models.Index(fields=["id"], condition=Q(reason="no_worker_for_version"), name="run_stranded"),
            models.Index(fields=["id"], condition=Q(reason="no_worker_for_queue"), name="run_unserved"),
            # Children that a cancel of their parent may have to reach: asked every second by each driver.
            models.Index(
                fields=["parent"],
                condition=Q(parent__isnull=False, finished_at=None, is_detached=False),
                name="run_child_under_way",
            ),
            # An ended run whose hook nobody made due: there is none unless something is broken.
            models.Index(
                fields=["id"], condition=Q(end_hook="armed", finished_at__isnull=False), name="run_end_hook_armed"
            ),
            # Columns of an ended run only: one that each transition changes would cost every update an index entry.
            models.Index(fields=["finished_at"], condition=Q(finished_at__isnull=False), name="run_finished"),
            models.Index(
                fields=["finished_at"],
                condition=Q(finished_at__isnull=False, pruned_at=None),
                name="run_unpruned",
            ),
            models.Index(
                Took().desc(),
                models.F("id").desc(),
                condition=Q(finished_at__isnull=False, started_at__isnull=False),
                name="run_by_duration",
            ),
            models.Index(fields=["status", "-id"], name="run_by_status"),
            models.Index(fields=["job", "-id"], name="run_by_job"),
            models.Index(fields=["owner", "-id"], condition=Q(owner__isnull=False), name="run_by_owner"),
            models.Index(fields=["team", "-id"], condition=Q(team__isnull=False), name="run_by_team"),
            models.Index(fields=["parent"], condition=Q(parent__isnull=False), name="run_by_parent"),
            models.Index(fields=["root"], condition=Q(root__isnull=False), name="run_by_root"),
            models.Index(fields=["forked_from"], condition=Q(forked_from__isnull=False), name="run_by_origin"),
        )

    def __str__(self) -> str:
        return f"{self.job} {self.id}"

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED
