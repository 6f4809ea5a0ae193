"""A run with a long history, unloaded and woken."""

from itertools import count

from benchmarks.bench import Bench
from benchmarks.perdure import Perdure, perdure
from benchmarks.rows import OURS, Row, at_most

TENTH = 10


def rows(bench: Bench) -> list[Row]:
    return [_row(bench, postgresql=True), _row(bench, postgresql=False)]


def _row(bench: Bench, *, postgresql: bool) -> Row:
    steps = bench.few_or_many(1_000, 10_000)
    fewer = f"{steps // TENTH:,} steps"
    with perdure(postgresql=postgresql) as ours:
        long, short = _Replayed(ours, steps), _Replayed(ours, steps // TENTH)
        found = bench.alternate({OURS: long.again, fewer: short.again}, warm=[long.again, short.again])
    return Row(f"an unloaded run with {steps:,} steps goes on after a signal", "s", found,
               (at_most(1), at_most(TENTH, fewer)) if postgresql else (),
               database="PostgreSQL" if postgresql else "SQLite")  # fmt: skip


class _Replayed:
    def __init__(self, ours: Perdure, steps: int) -> None:
        self.ours, self.numbers = ours, count()
        self.run_id: str = ours.ask("prepare_replay", steps=steps)

    def again(self) -> float:
        return float(self.ours.ask("replay", run_id=self.run_id, number=next(self.numbers)))
