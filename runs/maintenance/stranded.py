"""Due runs that no live worker can take: who they are, for checks and people."""

from dataclasses import dataclass

from django.db.models import Count

from runs.engine.stranded import mark, stranded, unserved

__all__ = ["Stranded", "Unserved", "count_stranded", "count_unserved", "mark", "stranded", "unserved"]


@dataclass(frozen=True, slots=True)
class Stranded:
    """So many runs of this version are due, and no live worker has it."""

    job: str
    version: str
    runs: int


@dataclass(frozen=True, slots=True)
class Unserved:
    """So many runs of this queue are due, and no live worker that has their version serves it."""

    queue: str
    runs: int


def count_stranded() -> list[Stranded]:
    """By job and version."""
    rows = stranded().values_list("job", "job_version").annotate(number=Count("pk")).order_by("job", "job_version")
    return [Stranded(*row) for row in rows]


def count_unserved() -> list[Unserved]:
    """By queue."""
    rows = unserved().values_list("queue").annotate(number=Count("pk")).order_by("queue")
    return [Unserved(*row) for row in rows]
