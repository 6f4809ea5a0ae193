"""A worker process that is killed."""

import os
import signal
import time
from collections import Counter
from typing import cast
from uuid import UUID

from benchmarks.calls.waiting import ended, until
from runs import jobs
from runs.models import Step

Beat = dict[str, float]


def kill_worker(runs: int, seconds: float) -> list[float]:
    """Kill the process that drives most of these runs; for each of its runs, seconds until another did a step of it."""
    begun = [jobs.start("bench-beats", {"seconds": seconds}).run for _ in range(runs)]
    ids = [run.id for run in begun]
    until(lambda: len(_beats(ids)) == runs, "a step of every run", 20)
    victim = Counter(beats[-1]["pid"] for beats in _beats(ids).values()).most_common(1)[0][0]
    killed = time.time()
    os.kill(int(victim), signal.SIGKILL)
    ended(begun)
    gaps = [_gap(beats, victim, killed) for beats in _beats(ids).values()]
    return [gap for gap in gaps if gap is not None]


def _beats(ids: list[UUID]) -> dict[UUID, list[Beat]]:
    """By run, what its steps returned, in order of time."""
    found: dict[UUID, list[Beat]] = {}
    for run_id, beat in Step.objects.filter(run__in=ids, output__isnull=False).values_list("run_id", "output"):
        found.setdefault(run_id, []).append(cast(Beat, beat))
    return {run_id: sorted(beats, key=lambda beat: beat["at"]) for run_id, beats in found.items()}


def _gap(beats: list[Beat], victim: float, killed: float) -> float | None:
    """None when another process had the run."""
    before = [beat for beat in beats if beat["at"] <= killed]
    if not before or before[-1]["pid"] != victim:
        return None
    return next(beat["at"] for beat in beats if beat["at"] > killed and beat["pid"] != victim) - killed
