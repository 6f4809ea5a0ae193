"""Many simulations, one after the other, and what came of them."""

import gc
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator

from django.conf import settings

from runs.conf import get_settings
from tests.faults.simulation.database import MemoryDatabase
from tests.faults.simulation.faults import Faults, NoFaults, OneDeath
from tests.faults.simulation.simulation import Report, simulate

SHORT = {"RUNS_LEASE_SECONDS": 6.0, "RUNS_RENEW_SECONDS": 2.0}
"""A second of idle workers costs more than most of what a run does in it."""


class Seeds:
    """Runs seeds and prints what each gave."""

    def __init__(self, trace: bool = False, first: bool = False) -> None:
        for name, value in SHORT.items():
            setattr(settings, name, value)
        get_settings.cache_clear()
        self._database = MemoryDatabase()
        gc.collect()
        gc.freeze()  # what is there for good need not be looked at after each simulation
        self._trace, self._first = trace, first
        self._counts: Counter[str] = Counter()

    def run(self, seeds: Iterable[int], each_place: int = 0) -> int:
        """0 when every promise was kept."""
        began_at, reports, wrong = time.monotonic(), 0, list[str]()
        for seed in seeds:
            for report in self._each_place(seed, each_place) if each_place else self._drawn(seed):
                reports += 1
                self._counts.update(report.counts)
                self._tell(report)
                wrong += [f"--seed {seed}" + f" --each-place {each_place}" * bool(each_place)] * bool(report.wrong)
            if wrong and self._first:
                break
        self._sum_up(reports, time.monotonic() - began_at, sorted(set(wrong)))
        return 1 if wrong else 0

    def _drawn(self, seed: int) -> Iterator[Report]:
        yield simulate(seed, self._database, echo=self._trace)

    def _each_place(self, seed: int, every: int) -> Iterator[Report]:
        """One run of one program, with a death at each place in turn."""
        undisturbed = self._one_run(seed, NoFaults())
        yield undisturbed
        for turn in range(0, undisturbed.turns, every):
            yield self._one_run(seed, OneDeath("w1", turn, "turn"))
        for call in range(1, undisturbed.calls + 1, every):
            yield self._one_run(seed, OneDeath("w1", call, "before"))
            yield self._one_run(seed, OneDeath("w1", call, "after"))

    def _one_run(self, seed: int, faults: Faults) -> Report:
        return simulate(seed, self._database, faults, runs=1, echo=self._trace)

    def _tell(self, report: Report) -> None:
        counts = ", ".join(f"{count} {what}" for what, count in report.counts.items() if count) or "no faults"
        self._say(f"seed {report.seed}: {report.digest} {report.seconds:6.1f} s, {counts} ({report.faults})")
        for wrong in report.wrong:
            self._say(f"    WRONG {wrong}")

    def _sum_up(self, reports: int, seconds: float, wrong: list[str]) -> None:
        counts = ", ".join(f"{count} {what}" for what, count in self._counts.items())
        self._say(f"{reports} simulations in {seconds:.0f} s: {counts}.")
        if not wrong:
            self._say("Every promise was kept.")
        for which in wrong:
            self._say(f"A promise was not kept. See it again: python -m tests.faults.simulation {which} --trace")

    def _say(self, line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
