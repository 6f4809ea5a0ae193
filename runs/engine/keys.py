"""Concurrency keys: at most so many runs of one key under way, in order.

A run holds its key from its first start to its end, waiting included unless its job releases it then. A key belongs to
its job and its team (without one to its owner), as idempotency keys do: teams do not wait for each other.
"""

import hashlib
from collections.abc import Iterable

from django.db import connection
from django.db.models import Case, Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Cast, Coalesce, Concat

from runs.models import ENDED, Run, RunStatus

_SCOPE = Case(
    When(team__isnull=False, then=Concat(Value("team "), Cast("team_id", TextField()))),
    When(owner__isnull=False, then=Concat(Value("owner "), Cast("owner_id", TextField()))),
    default=Value(""),
    output_field=TextField(),
)


def may_begin() -> QuerySet[Run]:
    """Runs without a key, holders of theirs, and those whose key has room, as far as this query sees."""
    held = (
        _holders().filter(job=OuterRef("job"), concurrency_key=OuterRef("concurrency_key"))
        .alias(scope=_SCOPE).filter(scope=OuterRef("key_scope")).order_by().values("job").annotate(number=Count("pk")).values("number")
    )  # fmt: skip
    holders = Coalesce(Subquery(held, output_field=IntegerField()), 0)
    free = Run.objects.alias(key_scope=_SCOPE).alias(key_holders=holders)
    return free.filter(Q(concurrency_key=None) | _holds() | Q(key_holders__lt=F("concurrency_limit")))


def admit(found: list[Run]) -> list[Run]:
    """Of the locked runs those that may really go on: counted again under the lock of their key."""
    taken: dict[tuple[str, str, str], int] = {}
    admitted = []
    for run in found:
        if run.concurrency_key is None or is_holder(run) or _has_room(run, run.concurrency_key, taken):
            admitted.append(run)
    return admitted


def same_scope(run: Run) -> Q:
    """Runs of the same team or, without one, of the same owner."""
    return Q(team=run.team_id) if run.team_id is not None else Q(team=None, owner=run.owner_id)


def holders_beside(run: Run) -> QuerySet[Run]:
    """Runs that hold the run's key."""
    return _holders().filter(same_scope(run), job=run.job, concurrency_key=run.concurrency_key)


def waiters_beside(run: Run) -> QuerySet[Run]:
    """Runs of its key that do not hold it and have not ended."""
    same = Run.objects.filter(same_scope(run), job=run.job, concurrency_key=run.concurrency_key)
    return same.exclude(status__in=ENDED).exclude(_holds())


def is_holder(run: Run) -> bool:
    released = run.release_while_waiting and run.status in (RunStatus.WAITING, RunStatus.QUEUED)
    return run.started_at is not None and not released


def _has_room(run: Run, key: str, taken: dict[tuple[str, str, str], int]) -> bool:
    place = (run.job, _scope(run), key)
    if place not in taken:
        if not try_lock("claim", *place):
            return False  # another worker claims a run of this key right now
        taken[place] = holders_beside(run).count()
    if taken[place] >= run.concurrency_limit:
        return False
    taken[place] += 1
    return True


def lock_starts(runs: Iterable[Run]) -> None:
    """Until the transaction ends, nobody else looks for runs of their keys to join."""
    if connection.vendor == "postgresql":
        numbers = {_number("start", run.job, _scope(run), run.concurrency_key or "") for run in runs}
        with connection.cursor() as cursor:
            for number in sorted(numbers):
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def try_lock(*names: str) -> bool:
    """Until the transaction ends, the lock of these names, if nobody has it."""
    if connection.vendor != "postgresql":
        return True  # the claim holds the only write lock there is
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_number(*names)])
        return bool(cursor.fetchone()[0])


def _scope(run: Run) -> str:
    if run.team_id is not None:
        return f"team {run.team_id}"
    return f"owner {run.owner_id}" if run.owner_id is not None else ""


def _number(*names: str) -> int:
    return int.from_bytes(hashlib.blake2b("\0".join(names).encode(), digest_size=8).digest(), signed=True)


def _holders() -> QuerySet[Run]:
    # said apart, as the index says it: those that wait for a key are many
    return Run.objects.filter(concurrency_key__isnull=False, started_at__isnull=False, finished_at=None).filter(
        _holds()
    )


def _holds() -> Q:
    waits = Q(release_while_waiting=True) & (Q(status=RunStatus.WAITING) | Q(status=RunStatus.QUEUED))
    return Q(started_at__isnull=False, finished_at=None) & ~Q(status__in=ENDED) & ~waits
