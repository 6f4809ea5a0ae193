"""Concurrency keys: at most so many runs of one key under way, in order.

A run holds its key from its first start to its end, waiting included unless its job releases it then.
"""

import hashlib

from django.db import connection
from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from runs.models import ENDED, Run, RunStatus


def may_begin() -> QuerySet[Run]:
    """Runs without a key, holders of theirs, and those whose key has room, as far as this query sees."""
    held = (
        _holders().filter(job=OuterRef("job"), concurrency_key=OuterRef("concurrency_key"))
        .order_by().values("job").annotate(number=Count("pk")).values("number")
    )  # fmt: skip
    holders = Coalesce(Subquery(held, output_field=IntegerField()), 0)
    free = Run.objects.annotate(key_holders=holders)
    return free.filter(Q(concurrency_key=None) | _holds() | Q(key_holders__lt=F("concurrency_limit")))


def admit(found: list[Run]) -> list[Run]:
    """Of the locked runs those that may really go on: counted again under the lock of their key."""
    taken: dict[tuple[str, str], int] = {}
    admitted = []
    for run in found:
        if run.concurrency_key is None or _is_holder(run) or _has_room(run, run.concurrency_key, taken):
            admitted.append(run)
    return admitted


def _has_room(run: Run, key: str, taken: dict[tuple[str, str], int]) -> bool:
    place = (run.job, key)
    if place not in taken:
        if not _lock_key(run.job, key):
            return False  # another worker claims a run of this key right now
        taken[place] = _holders().filter(job=run.job, concurrency_key=key).count()
    if taken[place] >= run.concurrency_limit:
        return False
    taken[place] += 1
    return True


def lock_starts(job: str, key: str) -> None:
    """Until the transaction ends, nobody else looks for a run of the key to join."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_number("start", job, key)])


def _lock_key(job: str, key: str) -> bool:
    if connection.vendor != "postgresql":
        return True  # the claim holds the only write lock there is
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_number("claim", job, key)])
        return bool(cursor.fetchone()[0])


def _number(*names: str) -> int:
    return int.from_bytes(hashlib.blake2b("\0".join(names).encode(), digest_size=8).digest(), signed=True)


def _holders() -> QuerySet[Run]:
    return Run.objects.filter(_holds())


def _holds() -> Q:
    waits = Q(release_while_waiting=True) & (Q(status=RunStatus.WAITING) | Q(status=RunStatus.QUEUED))
    return Q(started_at__isnull=False) & ~Q(status__in=ENDED) & ~waits


def _is_holder(run: Run) -> bool:
    released = run.release_while_waiting and run.status in (RunStatus.WAITING, RunStatus.QUEUED)
    return run.started_at is not None and not released
