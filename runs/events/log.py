"""Reading the append-only log. Per run it is sound to read `sequence > N`: N+1 is allocated only after N's commit."""

from uuid import UUID

from asgiref.sync import sync_to_async

from runs.events.types import RunEvent
from runs.models import Event


def read_events(run_id: UUID, after: int = 0, limit: int = 500) -> list[RunEvent]:
    """Up to `limit` events with `sequence > after`, ascending."""
    rows = Event.objects.filter(run_id=run_id, sequence__gt=after).order_by("sequence")[:limit]
    return [as_run_event(row) for row in rows]


def as_run_event(row: Event) -> RunEvent:
    """The stored row as every transport carries it."""
    return RunEvent(
        type=row.type, run_id=row.run_id, data=row.data, step=row.step, attempt=row.attempt,
        sequence=row.sequence, created_at=row.created_at,
    )  # fmt: skip


aread_events = sync_to_async(read_events, thread_sensitive=False)
