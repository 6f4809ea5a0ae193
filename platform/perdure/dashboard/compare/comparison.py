"""Two runs laid side by side: a row for each step, what differs in it, and where they part."""

from dataclasses import dataclass

from perdure.dashboard.compare.align import Pair, align
from perdure.dashboard.compare.facts import RunFacts, StepFacts, read_facts
from runs.models import Run

ROWS_SHOWN = 100


@dataclass(frozen=True)
class Row:
    """One step. `difference` says in a few words what differs; empty for none."""

    number: int
    name: str
    left: StepFacts | None
    right: StepFacts | None
    difference: str


@dataclass(frozen=True)
class Comparison:
    left: RunFacts
    right: RunFacts
    rows: list[Row]

    @property
    def first(self) -> Row | None:
        """Where the runs part; None where they do not."""
        return next((row for row in self.rows if row.difference), None)

    @property
    def differing(self) -> list[Row]:
        return [row for row in self.rows if row.difference]


def compare(left: Run, right: Run) -> Comparison:
    """Reads both runs."""
    facts = read_facts(left), read_facts(right)
    pairs = align(facts[0].steps, facts[1].steps, lambda step: step.name)
    return Comparison(*facts, [_row(number, pair) for number, pair in enumerate(pairs, start=1)])


def _row(number: int, pair: Pair[StepFacts]) -> Row:
    return Row(number, pair.name, pair.left, pair.right, difference_of(pair.left, pair.right))


def difference_of(left: StepFacts | None, right: StepFacts | None) -> str:
    """What differs but the time, the tokens and the attempts, which differ always."""
    if left is None or right is None:
        return "only in the second" if left is None else "only in the first"
    if left.status != right.status:
        return f"{left.status} and {right.status}"
    return "" if left.gist == right.gist else "gave something else"
