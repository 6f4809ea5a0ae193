"""Waiting for runs by looking at their rows, seldom enough to leave the processors to what is measured."""

import time
from collections.abc import Callable, Iterable
from uuid import UUID

from runs.models import ENDED, Run, RunStatus

LOOK_SECONDS = 0.05


def until(is_so: Callable[[], bool], what: str, within: float = 180) -> None:
    """Raises TimeoutError."""
    deadline = time.monotonic() + within
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within:g} s: {what}")
        time.sleep(LOOK_SECONDS)


def ended(begun: Iterable[Run]) -> list[Run]:
    """Those runs, completed, in the order given. Raises RuntimeError when one ended otherwise."""
    ids = [run.id for run in begun]
    _until_ended(ids[-1:])  # to look for thousands again and again would cost what is measured
    _until_ended(ids)
    found = Run.objects.in_bulk(ids)
    if failed := [run for run in found.values() if run.status != RunStatus.COMPLETED]:
        raise RuntimeError(f"{len(failed)} of {len(found)} runs ended otherwise, the first with {failed[0].error}")
    return [found[run_id] for run_id in ids]


def _until_ended(ids: list[UUID]) -> None:
    others = Run.objects.filter(id__in=ids).exclude(status__in=ENDED)
    until(lambda: not others.all().exists(), f"{len(ids)} runs ended")


def unloaded(begun: Iterable[Run], within: float = 180) -> None:
    """Every one of them waits without a worker."""
    others = Run.objects.filter(id__in=[run.id for run in begun]).exclude(status=RunStatus.WAITING)
    until(lambda: not others.all().exists(), "runs unloaded", within)


def worked(runs: Iterable[Run]) -> float:
    """Seconds from the first claim to the last end."""
    begun = [run.started_at for run in runs if run.started_at]
    over = [run.finished_at for run in runs if run.finished_at]
    return (max(over) - min(begun)).total_seconds()
