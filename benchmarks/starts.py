"""Starting 2,000 runs of one step and seeing them end."""

from functools import partial

from benchmarks.bench import Bench
from benchmarks.peers.running import ABSURD, CELERY, DBOS, DJANGO_Q2, PROCRASTINATE, peers_on
from benchmarks.perdure import perdure
from benchmarks.rows import OURS, Row, at_least

COUNT = 2000
THEIRS = {DBOS: 300, ABSURD: 1000, CELERY: 2000, PROCRASTINATE: 1000, DJANGO_Q2: 200}
"""How many each of the others starts: enough for some seconds."""


def rows(bench: Bench) -> list[Row]:
    count = bench.few_or_many(500, COUNT)
    with perdure() as ours, peers_on(ours.database_url, bench.peers_among(*THEIRS)) as peers:
        measured = bench.alternate({
            OURS: partial(ours.ask, "start_many", count=count),
            "one by one": partial(ours.ask, "starts", count=count),
            **{name: partial(one.ask, "starts", count=THEIRS[name]) for name, one in peers.items()},
        }, warm=[
            partial(ours.ask, "start_many", count=100),
            *(partial(ask, "starts", count=50) for ask in (ours.ask, *(one.ask for one in peers.values()))),
        ])  # fmt: skip
    one_by_one = {OURS: measured.pop("one by one"), **{name: measured[name] for name in peers}}
    return [
        Row(f"{count:,} one-step runs, by one call of start_many, until all have ended", "runs/s",
            {name: [one["finished"] for one in found] for name, found in measured.items()},
            (at_least(15, DBOS), at_least(3, CELERY)), is_headline=True),
        Row("one-step runs started one by one over the Python API", "runs/s",
            {name: [one["started"] for one in found] for name, found in one_by_one.items()}, (at_least(800),)),
    ]  # fmt: skip
