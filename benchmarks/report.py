"""The page and README's block, written from the figures that were kept."""

import json
from pathlib import Path
from typing import Any

from benchmarks.programs import ROOT
from benchmarks.table import headlines, table

RESULTS = Path(__file__).parent / "results"
PAGE = ROOT / "docs/reference/benchmarks.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


def write_page(names: list[str]) -> None:
    """The page's block from every kept result, and README's from its headlines. Nothing else of them is touched."""
    kept = [json.loads(path.read_text()) for name in names if (path := RESULTS / f"{name}.json").exists()]
    if kept:
        PAGE.write_text(replaced(PAGE.read_text(), page_block(kept)))
        README.write_text(replaced(README.read_text(), readme_block(kept)))


def page_block(kept: list[dict[str, Any]]) -> str:
    rows = [row for one in kept for row in one["rows"]]
    places = dict.fromkeys(described(one["environment"]) for one in kept)
    return "\n".join([table(rows), "", "Taken on:", "", *(f"- {place}" for place in places)])


def readme_block(kept: list[dict[str, Any]]) -> str:
    rows = [row for one in kept for row in one["rows"] if row["is_headline"]]
    machine = kept[0]["environment"]["machine"]
    return (
        f"## How fast\n\nMedians on {machine['cores']} cores, shared by client, workers and database;"
        f" in brackets Perdure's figure by theirs.\n\n{headlines(rows)}\n\n"
        "`make bench` measures it on your machine, `make bench-all` with the task queues beside it; all rows, goals and"
        " settings:"
        " [docs/reference/benchmarks.md](docs/reference/benchmarks.md)."
    )


def replaced(text: str, new: str) -> str:
    """The text with what stands between the two marks replaced. Raises ValueError when a mark is missing."""
    before, rest = text.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return f"{before}{BEGIN}\n{new}\n{END}{after}"


def described(environment: dict[str, Any]) -> str:
    machine, settings = environment["machine"], environment["postgresql"]
    versions = ", ".join(f"{name} {version}" for name, version in environment["versions"].items())
    database = ", ".join(f"{name} {value}" for name, value in settings.items())
    return (
        f"{environment['taken_at'][:10]}: {machine['cores']} cores ({machine['processor']}), {machine['memory']},"
        f" {machine['system']}; {versions}; PostgreSQL: {database};"
        f" SQLite {environment['sqlite']['version']}, WAL, synchronous full"
        f"; peers: {', '.join(environment['peers']) or 'none'}"
    )
