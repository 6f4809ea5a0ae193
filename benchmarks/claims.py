"""Whether a large table of runs makes claiming slow."""

from functools import partial

from benchmarks.bench import Bench
from benchmarks.perdure import perdure
from benchmarks.rows import OURS, Row, at_most, percentile

EMPTY = "empty table"


def rows(bench: Bench) -> list[Row]:
    ended, queued = bench.few_or_many((100_000, 10_000), (1_000_000, 100_000))
    with perdure() as large, perdure() as empty:
        large.ask("fill", ended_runs=ended, queued_runs=queued)
        found = bench.alternate({
            OURS: partial(large.ask, "latencies", count=20), EMPTY: partial(empty.ask, "latencies", count=20),
        }, warm=[partial(one.ask, "latencies", count=3) for one in (large, empty)])  # fmt: skip
    figures = {name: [percentile(one, 50) for one in lists] for name, lists in found.items()}
    work = f"idle start with {ended:,} ended and {queued:,} queued runs in the table, p50"
    return [Row(work, "ms", figures, (at_most(1.5, EMPTY),), note="half of the queued due later, half in a held queue")]
