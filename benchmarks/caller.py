"""A program beside Perdure's worker, as a team's web process would be: it starts runs over the Python API."""

import os
import time
from collections.abc import Iterable
from typing import Any

import django

from benchmarks.answering import answer_all

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "perdure.settings")
django.setup()

from django.db import transaction  # noqa: E402

from runs import jobs  # noqa: E402
from runs.models import ENDED, Run  # noqa: E402

LOOK_SECONDS = 0.05


def lone(steps: int) -> float:
    """Milliseconds for each step of one run, from its claim to its end."""
    (run,) = _ended([jobs.start("bench-steps", {"steps": steps}).run])
    return _worked(run, run) * 1000 / steps


def crowd(runs: int, steps: int) -> float:
    """Steps a second of runs that appear at once, from the first claim to the last end."""
    with transaction.atomic():
        begun = [jobs.start("bench-steps", {"steps": steps}).run for _ in range(runs)]
    ended = _ended(begun)
    first = min(ended, key=lambda run: run.started_at)
    return runs * steps / _worked(first, max(ended, key=lambda run: run.finished_at))


def _ended(begun: Iterable[Run], within: float = 180) -> list[Run]:
    """Those runs, all completed."""
    ids = [run.id for run in begun]
    deadline = time.monotonic() + within
    while Run.objects.filter(id__in=ids).exclude(status__in=ENDED).exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(ids)} runs have not ended within {within:g} s")
        time.sleep(LOOK_SECONDS)
    found = list(Run.objects.filter(id__in=ids))
    failed = [run for run in found if run.status != "completed"]
    if failed:
        raise RuntimeError(f"{len(failed)} of {len(found)} runs ended otherwise, the first with {failed[0].error}")
    return found


def _worked(first: Run, last: Run) -> float:
    assert first.started_at is not None
    assert last.finished_at is not None
    return (last.finished_at - first.started_at).total_seconds()


FUNCTIONS: dict[str, Any] = {"lone": lone, "crowd": crowd}

if __name__ == "__main__":
    answer_all(FUNCTIONS)
