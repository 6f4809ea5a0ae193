"""How many runs end, and how long they waited for a worker, over the last day or as far as the newest runs reach."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from perdure.dashboard.charts.points import Point, points_of
from perdure.dashboard.run.rows import duration_text
from perdure.dashboard.seen import DEPTH, Row, Seen
from runs import clock

SPAN = timedelta(hours=24)
"""On a busy day the newest runs reach back less than that, which is said."""
_PARTS = 24


class _Ended(NamedTuple):
    at: datetime
    waited: float | None


def _waited(row: Row) -> float | None:
    """Seconds between when it could begin and when a worker took it first; None for one that never began."""
    if row.started_at is None:
        return None
    return max(0.0, (row.started_at - max(row.run_at, row.created_at)).total_seconds())


@dataclass(frozen=True)
class Pace:
    """`ended` and `waits` are points of equal stretches of time; a wait is that which 19 of 20 runs did not exceed."""

    ended: list[Point]
    waits: list[Point]
    runs: int
    wait: str
    span: str


def read_pace(seen: Seen) -> Pace:
    """Of the runs that somebody may see."""
    now = clock.now()
    rows = [_Ended(row.finished_at, _waited(row)) for row in seen.ended(DEPTH) if row.finished_at]
    rows = [row for row in rows if row.at > now - SPAN]
    since = min((row.at for row in rows), default=now) if len(rows) >= DEPTH else now - SPAN
    width = max((now - since) / _PARTS, timedelta(seconds=1))
    parts: list[list[_Ended]] = [[] for _ in range(_PARTS)]
    for row in rows:
        parts[min(_PARTS - 1, max(0, int((row.at - since) / width)))].append(row)
    labels = [_clock(since + width * number) for number in range(_PARTS)]
    waits = [slowest(row.waited for row in part) for part in parts]
    overall = slowest(row.waited for row in rows)
    return Pace(
        ended=points_of([(label, len(part)) for label, part in zip(labels, parts, strict=True)]),
        waits=points_of(list(zip(labels, waits, strict=True)), duration_text),
        runs=len(rows),
        wait="–" if overall is None else duration_text(overall),
        span="24 hours" if len(rows) < DEPTH else duration_text((now - since).total_seconds()),
    )


def slowest(waits: Iterable[float | None]) -> float | None:
    """The 95th percentile by the nearest rank; None of nothing."""
    known = sorted(wait for wait in waits if wait is not None)
    return known[math.ceil(len(known) * 0.95) - 1] if known else None


def _clock(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%H:%M")
