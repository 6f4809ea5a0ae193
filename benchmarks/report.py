"""The page and README's block, written from the figures that were kept."""

import json
from pathlib import Path
from typing import Any

from benchmarks.programs import ROOT
from benchmarks.table import table

RESULTS = Path(__file__).parent / "results"
PAGE = ROOT / "docs/reference/benchmarks.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- bench -->", "<!-- /bench -->"


def write_page(names: list[str]) -> None:
    """The page's block from every kept result, and README's where it has one. Nothing else of them is touched."""
    kept = [json.loads(path.read_text()) for name in names if (path := RESULTS / f"{name}.json").exists()]
    for path in (PAGE, README):
        if path.exists() and BEGIN in path.read_text():
            path.write_text(replaced(path.read_text(), block(kept)))


def block(kept: list[dict[str, Any]]) -> str:
    rows = [row for one in kept for row in one["rows"]]
    places = dict.fromkeys(described(one["environment"]) for one in kept)
    return "\n".join([table(rows), "", *(f"- {place}" for place in places)])


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
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory']}, {machine['system']}; "
        f"{versions}; PostgreSQL: {database}; SQLite {environment['sqlite']['version']}, WAL, synchronous full"
    )
