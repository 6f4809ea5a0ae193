"""The list of runs as a feed. A client keeps, per run, the row with the highest `last_sequence`."""

from datetime import timedelta

from django.db.models import Q, QuerySet

from runs import clock
from runs.jobs import visible_runs
from runs.live.access import Viewer
from runs.live.feed import RECENT_SECONDS, Listing, Row, Source, as_json
from runs.models import ENDED, Run

NEWEST = 100
ACTIVE = 400
_FIELDS = (
    "id", "job", "job_version", "status", "reason", "progress", "labels", "priority", "attempt", "last_sequence",
    "owner__username", "team__name", "created_at", "started_at", "finished_at",
)  # fmt: skip


def fetch_rows(viewer: Viewer) -> Listing:
    """The newest runs that the viewer may see, and all that work, wait, or ended lately; newest first."""
    visible = visible_runs(viewer.user())
    lately = clock.now() - timedelta(seconds=RECENT_SECONDS)
    moving = visible.filter(~Q(status__in=ENDED) | Q(finished_at__gte=lately))
    rows = {row["id"]: row for row in (*_rows(visible, NEWEST), *_rows(moving, ACTIVE))}
    return Listing(sorted(rows.values(), key=lambda row: str(row["id"]), reverse=True))


def fetch_existing(viewer: Viewer, ids: list[str]) -> set[str]:
    return {str(found) for found in visible_runs(viewer.user()).filter(id__in=ids).values_list("id", flat=True)}


RUNS = Source("run", "runs", fetch_rows, fetch_existing)


def _rows(runs: QuerySet[Run], limit: int) -> list[Row]:
    return [_as_json(row) for row in runs.order_by("-id").values(*_FIELDS)[:limit]]


def _as_json(row: Row) -> Row:
    row["owner"], row["team"] = row.pop("owner__username"), row.pop("team__name")
    return as_json(row)
