"""A worker process killed: when its runs go on."""

from functools import partial

from benchmarks.bench import Bench
from benchmarks.perdure import perdure
from benchmarks.rows import OURS, Row, at_most, percentile

RUNS = 40


def rows(bench: Bench) -> list[Row]:
    with perdure() as ours:
        found = bench.alternate({OURS: partial(ours.ask, "kill_worker", runs=RUNS, seconds=4)})[OURS]
    figures = {OURS: [percentile(gaps, 95) for gaps in found]}
    return [
        Row("a worker process killed: until its runs' next step, p95", "s", figures, (at_most(2),), is_headline=True)
    ]
