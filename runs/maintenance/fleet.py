"""Rows of worker processes that are gone, for operators who want them out of their lists at once."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from runs.engine import leases
from runs.engine.store.rows import Actor, write_audit


def forget_workers(workers: Iterable[UUID], actor: Actor) -> int:
    """Of those only whose lease is over; how many. What they drove goes on elsewhere, as it does anyway."""
    with transaction.atomic():
        gone = leases.forget(workers)
        for worker in gone:
            write_audit(actor, "worker.forget", str(worker.pk), {"process": str(worker)})
    return len(gone)
