"""Figures of model calls, from the attempts and events that the newest jobs have recorded."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.fields.json import KT

from runs.events.types import EventType
from runs.models import Attempt, AttemptOutcome, Event, Run

JOBS = 200
"""The newest so many are looked at: an answer takes some milliseconds however long the history is."""
_ENDS = (EventType.STEP_COMPLETE, EventType.STEP_FAIL, EventType.STEP_RETRY)


@dataclass(frozen=True, slots=True)
class CallFigures:
    """By the kind of provider; `latency` is the mean of the calls that were answered, in milliseconds."""

    count: dict[str, int]
    latency: dict[str, float]
    errors: dict[str, int]
    chunks: dict[str, int]
    jobs: int


def figures_of(rows: QuerySet[Run]) -> CallFigures:
    """Of the newest of these runs."""
    run_ids = list(rows.order_by("-pk").values_list("pk", flat=True)[:JOBS])
    count, errors, milliseconds = Counter[str](), Counter[str](), defaultdict[str, list[float]](list)
    kinds: dict[tuple[UUID, str, int], str] = {}
    for attempt in Attempt.objects.filter(run__in=run_ids, usage__isnull=False):
        kind = str((attempt.usage or {}).get("provider") or "unknown")
        kinds[attempt.run_id, attempt.step_name, attempt.number] = kind
        count[kind] += 1
        errors[kind] += attempt.outcome == AttemptOutcome.FAILED
        if attempt.outcome == AttemptOutcome.COMPLETED and attempt.ended_at is not None:
            milliseconds[kind].append((attempt.ended_at - attempt.started_at).total_seconds() * 1000)
    return CallFigures(
        count=dict(count), errors=dict(errors), chunks=_chunks(run_ids, kinds), jobs=len(run_ids),
        latency={kind: round(sum(all_) / len(all_), 3) for kind, all_ in milliseconds.items()},
    )  # fmt: skip


def _chunks(run_ids: Sequence[UUID], kinds: dict[tuple[UUID, str, int], str]) -> dict[str, int]:
    """Frames that were emitted, as the ends of the attempts tell."""
    found = Counter[str]()
    ends = Event.objects.filter(run__in=run_ids, type__in=[end.value for end in _ENDS])
    for run_id, step, attempt, frames in ends.values_list("run_id", "step", "attempt", KT("data__frames")):
        if kind := kinds.get((run_id, step or "", attempt or 0)):
            found[kind] += int(frames or 0)
    return dict(found)
