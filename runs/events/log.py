"""Reading the append-only log. Per run it is sound to read `sequence > N`: N+1 is allocated only after N's commit."""

from uuid import UUID

from asgiref.sync import sync_to_async

from runs.events.types import RunEvent
from runs.models import Event

_FIELDS = ("type", "data", "step", "attempt", "sequence", "created_at")


def read_events(run_id: UUID, after: int = 0, limit: int = 500) -> list[RunEvent]:
    """Up to `limit` events with `sequence > after`, ascending."""
    rows = Event.objects.filter(run_id=run_id, sequence__gt=after).order_by("sequence")
    # Tuples, not models: a long log is read by the hundred thousand.
    return [
        RunEvent(type, run_id, data, step, attempt, sequence, created_at=created_at)
        for type, data, step, attempt, sequence, created_at in rows.values_list(*_FIELDS)[:limit]
    ]


aread_events = sync_to_async(read_events, thread_sensitive=False)
