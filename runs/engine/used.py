"""What runs have used, as people see it."""

from collections.abc import Iterable
from uuid import UUID

from runs.engine.store.spent import Used, used_of
from runs.models import Attempt, AttemptOutcome, RunUsage


def usage_of(run_ids: Iterable[UUID]) -> dict[UUID, Used]:
    """Of those that used something: what is added up by now, and what ended in the seconds since.

    In this order: an attempt that is added in between is missed once, and never told twice.
    """
    ids = list(run_ids)
    rows = RunUsage.objects.filter(run__in=ids)
    found = {row.run_id: Used(*(getattr(row, name) for name in Used._fields)) for row in rows}
    fresh = Attempt.objects.filter(run__in=ids, usage__isnull=False, is_counted=False)
    for run_id, usage in fresh.exclude(outcome=AttemptOutcome.OPEN).values_list("run_id", "usage"):
        if isinstance(usage, dict):
            found[run_id] = found.get(run_id, Used()).plus(used_of(usage))
    return found
