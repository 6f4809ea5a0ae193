"""Workers look over the runs again and again, a stretch at a time, and mend what can be mended."""

import logging
from collections import Counter
from itertools import islice
from typing import Final
from uuid import UUID

from django.db import DatabaseError, InterfaceError
from django.db.models import Q, QuerySet

from runs import clock
from runs.engine.store import repairs
from runs.engine.store.rows import SYSTEM, Actor
from runs.maintenance.invariants.registry import INVARIANTS, Invariant
from runs.models import ENDED, EndHook, Run, RunStatus

log = logging.getLogger(__name__)

STRETCH: Final = 500
"""Runs of each status in one look."""

AGAIN_SECONDS: Final = 3600.0
"""A run that is broken again sooner is left to people: a repair that does not hold must not fill its log."""

_UNDER_WAY: Final = (RunStatus.QUEUED, RunStatus.WAITING, RunStatus.RUNNING, RunStatus.PAUSED)


class Rounds:
    """The rounds of one process. Several may be on their way: each repair looks again under the run's lock."""

    def __init__(self) -> None:
        self._after: dict[str, UUID] = {}
        self._mended: dict[tuple[str, UUID], float] = {}

    def look(self) -> Counter[str]:
        """Mend the next stretch; how many repairs of each invariant there were."""
        self._forget()
        ids = self._stretch()
        mended: Counter[str] = Counter()
        for invariant in list(INVARIANTS.values()):
            if ids and invariant.mend is not None:
                mended[invariant.name] += self._mend_safely(invariant, ids)
        if done := +mended:
            counts = ", ".join(f"{name} {count}" for name, count in sorted(done.items()))
            log.warning("Repaired runs that were broken: %s. Their logs and the audit say more.", counts)
        return +mended

    def _mend_safely(self, invariant: Invariant, ids: list[UUID]) -> int:
        """What an app's own invariant raises must end neither the round nor the worker."""
        try:
            return self._mend_all(invariant, ids)
        except (DatabaseError, InterfaceError):
            raise
        except Exception:
            log.exception("The invariant %r cannot be asked or mended.", invariant.name)
            return 0

    def _mend_all(self, invariant: Invariant, ids: list[UUID]) -> int:
        count = 0
        for run_id in sorted({row[0] for row in invariant.query(ids)}):
            if (invariant.name, run_id) not in self._mended and _mend(invariant, run_id):
                self._mended[invariant.name, run_id] = clock.monotonic()
                count += 1
        return count

    def _stretch(self) -> list[UUID]:
        """The next runs of each status under way, and the few ended ones that an index names as odd."""
        found = [run_id for status in _UNDER_WAY for run_id in self._next(status)]
        leased = Run.objects.filter(lease_worker__isnull=False, status__in=ENDED).exclude(end_hook=EndHook.DUE)
        armed = Run.objects.filter(end_hook=EndHook.ARMED, finished_at__isnull=False)
        return [*found, *_ids(leased), *_ids(armed)]

    def _next(self, status: str) -> list[UUID]:
        """From the newest to the oldest, as the index has them, and then from the newest again."""
        before = Q(id__lt=self._after[status]) if status in self._after else Q()
        ids = _ids(Run.objects.filter(before, status=status).order_by("-id"))
        self._after.pop(status, None)
        if len(ids) == STRETCH:
            self._after[status] = ids[-1]
        return ids

    def _forget(self) -> None:
        since = clock.monotonic() - AGAIN_SECONDS
        self._mended = {key: at for key, at in self._mended.items() if at > since}


def mend_now(actor: Actor, seconds: float) -> Counter[str]:
    """For who has looked and does not want to wait for a round: mend what can be, also what was mended a moment ago.

    After `seconds` it stops with what it has; how many repairs of each invariant there were.
    """
    ends_at, mended = clock.monotonic() + seconds, Counter[str]()
    for invariant in [one for one in INVARIANTS.values() if one.is_mended]:
        for run_id in sorted({row[0] for row in islice(invariant.query(None), STRETCH)}):
            if clock.monotonic() >= ends_at:
                return +mended
            mended[invariant.name] += _mend(invariant, run_id, actor)
    return +mended


def _ids(runs: QuerySet[Run]) -> list[UUID]:
    return list(runs.values_list("id", flat=True)[:STRETCH])


def _mend(invariant: Invariant, run_id: UUID, actor: Actor = SYSTEM) -> bool:
    assert invariant.mend is not None

    def is_broken() -> bool:
        return any(True for _ in invariant.query([run_id]))

    return repairs.repair(run_id, invariant.name, is_broken, invariant.mend, actor)
