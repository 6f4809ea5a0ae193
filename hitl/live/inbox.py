"""A person's inbox as a feed: how many questions wait for them, and those that run out first."""

from django.db.models import F

from hitl import people
from runs.live.access import Viewer
from runs.live.feed import Listing, Row, Source, as_json

ROWS = 100
_FIELDS = (
    "id", "run_id", "run__job", "kind", "title", "quorum", "deadline", "reminded_at", "escalated_at", "digest",
    "created_at",
)  # fmt: skip


def fetch_rows(viewer: Viewer) -> Listing:
    """The questions that wait for the viewer, the nearest deadline first, and the count of all."""
    waiting = people.inbox(viewer.user())
    by_deadline = F("deadline").asc(nulls_last=True)
    rows = [_as_json(row) for row in waiting.order_by(by_deadline, "id").values(*_FIELDS)[:ROWS]]
    return Listing(rows, {"count": len(rows) if len(rows) < ROWS else waiting.count()})


def fetch_existing(viewer: Viewer, ids: list[str]) -> set[str]:
    return {str(found) for found in people.inbox(viewer.user()).filter(id__in=ids).values_list("id", flat=True)}


# Every open page of everybody holds one, so it looks less often than the list of runs.
INBOX = Source(
    "question", "questions", fetch_rows, fetch_existing, facts_type="count", pause_seconds=0.5, idle_seconds=5.0
)


def _as_json(row: Row) -> Row:
    return as_json(row | {"run": str(row.pop("run_id")), "job": row.pop("run__job")})
