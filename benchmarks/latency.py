"""How soon a run begins when nothing else is done."""

from functools import partial

from benchmarks.bench import Bench
from benchmarks.peers import running as peers
from benchmarks.perdure import perdure
from benchmarks.rows import OURS, Row, at_most, percentile

SAMPLES = 40
PEERS = (peers.DBOS, peers.ABSURD, peers.CELERY, peers.PROCRASTINATE, peers.DJANGO_Q2)


def rows(bench: Bench) -> list[Row]:
    samples = bench.few_or_many(15, SAMPLES)
    with perdure() as ours, peers.peers_on(ours.database_url, bench.peers_among(*PEERS)) as others:
        asks = [ours.ask, *(one.ask for one in others.values())]
        found = bench.alternate({
            OURS: partial(ours.ask, "latencies", count=samples),
            **{name: partial(one.ask, "latencies", count=8) for name, one in others.items()},
        }, warm=[partial(ask, "latencies", count=3) for ask in asks])  # fmt: skip
    with perdure(postgresql=False) as ours:
        on_sqlite = bench.alternate(
            {OURS: partial(ours.ask, "latencies", count=samples)}, warm=[partial(ours.ask, "latencies", count=3)]
        )
    return [*_rows(found, "PostgreSQL", 6, 12), *_rows(on_sqlite, "SQLite", 25, 50)]


def _rows(found: dict[str, list[list[float]]], database: str, half: float, most: float) -> list[Row]:
    return [
        Row(f"idle: from the call of start to the job's first line, p{percent}", "ms",
            {name: [percentile(one, percent) for one in lists] for name, lists in found.items()},
            (at_most(goal),), database=database, is_headline=percent == 50)
        for percent, goal in ((50, half), (95, most))
    ]  # fmt: skip
