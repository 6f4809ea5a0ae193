"""What a recorded step costs: in one run alone, and with 100 runs at once."""

import time
from collections.abc import Mapping
from functools import partial

from benchmarks import floor
from benchmarks.bench import Bench
from benchmarks.peers.running import ABSURD, DBOS, peers_on
from benchmarks.perdure import Perdure, perdure, perdure_on_the_wire
from benchmarks.programs import Program
from benchmarks.rows import FLOOR, OURS, Row, at_least, at_most
from benchmarks.wire import Wire

STEPS = 100
RUNS = 100
THEIR_RUNS = 20


def rows(bench: Bench) -> list[Row]:
    return [*_postgresql(bench), *_sqlite(bench), *_on_the_wire(bench)]


def _postgresql(bench: Bench) -> list[Row]:
    with perdure() as ours, peers_on(ours.database_url, bench.peers_among(DBOS, ABSURD)) as peers:
        measured: dict[str, Perdure | Program] = {OURS: ours, **peers}
        lone = bench.alternate({
            FLOOR: partial(floor.postgresql_ms, ours.database_url),
            **{name: partial(one.ask, "lone", steps=STEPS) for name, one in measured.items()},
        }, warm=_lone_once(measured))  # fmt: skip
        theirs = bench.few_or_many(4, THEIR_RUNS)
        crowd = bench.alternate({
            name: partial(one.ask, "crowd", runs=RUNS if name == OURS else theirs, steps=STEPS)
            for name, one in measured.items()
        }, warm=[partial(one.ask, "crowd", runs=4, steps=STEPS) for one in measured.values()])  # fmt: skip
    return [
        Row("one run of 100 trivial steps, each", "ms", lone,
            (at_most(2, FLOOR), at_most(1 / 5, DBOS), at_most(1 / 2, ABSURD)), is_headline=True),
        Row("100 runs of 100 steps at once, 2 worker processes", "steps/s", crowd,
            (at_least(30, DBOS), at_least(10, ABSURD)),
            note=f"the others: {theirs} runs", is_headline=True),
    ]  # fmt: skip


def _lone_once(measured: "Mapping[str, Perdure | Program]") -> list[partial[object]]:
    return [partial(one.ask, "lone", steps=STEPS) for one in measured.values()]


def _sqlite(bench: Bench) -> list[Row]:
    with perdure(postgresql=False) as ours:
        plain = ours.installation.data_dir / "floor.sqlite3"
        lone = bench.alternate(
            {FLOOR: partial(floor.sqlite_ms, plain), OURS: partial(ours.ask, "lone", steps=STEPS)},
            warm=_lone_once({OURS: ours}),
        )
        crowd = bench.alternate({OURS: partial(ours.ask, "crowd", runs=RUNS, steps=STEPS)})
    return [
        Row("one run of 100 trivial steps, each", "ms", lone, database="SQLite"),
        Row("100 runs of 100 steps at once, 1 worker process", "steps/s", crowd, database="SQLite"),
    ]


def _on_the_wire(bench: Bench) -> list[Row]:
    """What the worker and the web process ask of PostgreSQL for each step, less what they ask when nothing is done."""
    with perdure_on_the_wire() as (ours, wire):
        measures = {OURS: partial(_counted, ours, wire, 500)}
        found = bench.alternate(measures, warm=measures.values(), times=3)[OURS]  # counts hardly differ
    return [
        Row(f"{name} for each step of one run", name, {OURS: [one[name] for one in found]}, (at_most(1.1),))
        for name in ("statements", "commits")
    ]


def _counted(ours: Perdure, wire: Wire, steps: int) -> dict[str, float]:
    wire.take()
    begun = time.monotonic()
    ours.ask("lone", steps=steps)
    worked, taken = wire.take(), time.monotonic() - begun
    time.sleep(taken)
    idle = wire.take()
    return {
        "statements": (worked.statements - idle.statements) / steps,
        "commits": (worked.transactions - idle.transactions) / steps,
    }
