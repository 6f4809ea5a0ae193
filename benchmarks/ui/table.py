"""Whether the list of runs stays quick when it is long. A row is one repetition, in which a page is asked 20 times."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from benchmarks.bench import Bench
from benchmarks.perdure import perdure
from benchmarks.rows import OURS, Row, at_most
from benchmarks.ui.asking import ADMINISTRATOR, FIGURES, FILTERS, MEMBER, PLAIN, REQUESTS, STATUSES, TEXTS, Reader

SHORT = "1,000 runs"
LIMIT = 300
"""Milliseconds."""

TIMES = 1.5
"""What the length of the list may cost: it says more than a time does on a machine that is busy otherwise."""


def rows(bench: Bench) -> list[Row]:
    count = bench.few_or_many(100_000, 1_000_000)
    with _readers(count) as large, _readers(1_000) as small:
        return [_row(bench, count, work, large[who], small[who], ask) for work, who, ask in _questions()]


def _questions() -> Iterator[tuple[str, str, Callable[[Reader], list[str]]]]:
    yield "the plain list, newest and oldest first", ADMINISTRATOR, lambda reader: list(PLAIN)
    yield "its tenth page", ADMINISTRATOR, lambda reader: reader.pages_behind()
    yield "each status", ADMINISTRATOR, lambda reader: [f"status={status}" for status in STATUSES]
    yield "each filter", ADMINISTRATOR, lambda reader: list(FILTERS)
    yield "each text", ADMINISTRATOR, lambda reader: list(TEXTS)
    yield "columns and orders by duration, tokens and cost", ADMINISTRATOR, lambda reader: list(FIGURES)
    yield "failures of one cause", ADMINISTRATOR, lambda reader: reader.one_cause()
    yield "the same for a member of one team", MEMBER, lambda reader: list(FIGURES)
    yield "the plain list and each filter, for a member of one team", MEMBER, lambda reader: [*PLAIN, *FILTERS]


def _row(bench: Bench, count: int, work: str, large: Reader, small: Reader, ask: Callable[[Reader], list[str]]) -> Row:
    measures = {
        OURS: partial(large.slowest, ask(large)),
        SHORT: partial(small.slowest, ask(small)),
    }
    figures = bench.alternate(measures, times=1)
    name = f"list of {count:,} runs, {work}: server time, p95 of {REQUESTS} requests, the slowest"
    return Row(name, "ms", figures, (at_most(LIMIT), at_most(TIMES, SHORT)))


@contextmanager
def _readers(count: int) -> Iterator[dict[str, Reader]]:
    """The administrator and a member of one team, before a list of so many runs."""
    with ExitStack() as stack:
        found = stack.enter_context(perdure())
        found.ask("fill_list", count=count)
        readers = {name: Reader(found, name) for name in (ADMINISTRATOR, MEMBER)}
        for reader in readers.values():
            stack.callback(reader.close)
            reader.slowest([""])  # warm
        yield readers
