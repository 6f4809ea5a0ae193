"""Usage as CSV (RFC 4180): a line for each day, job, model and team."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from perdure.dashboard.usage.figures import Row

COLUMNS = ("day", "job", "provider", "model", "team", "calls", "input_tokens", "output_tokens", "cost")
# A spreadsheet takes a text that begins so for a formula, and what stands there came from a run.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Line:
    """A file that hands each line on instead of keeping it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(rows: Iterable[Row]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield str(writer.writerow(COLUMNS))
    for row in rows:
        names = (row.job, row.provider, row.model, row.team)
        yield str(writer.writerow([row.day.isoformat(), *map(_text, names), *_numbers(row)]))


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value


def _numbers(row: Row) -> list[Any]:
    used = row.figures
    return [used.calls, used.input_tokens, used.output_tokens, f"{used.cost:.9f}".rstrip("0").rstrip(".")]
