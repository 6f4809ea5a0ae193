"""The figures as Markdown. It works on what `Row.as_data` gives, so on kept results too."""

from typing import Any

from benchmarks.rows import OURS, number

HEAD = ["work", "database", "unit", OURS, "others", "goal", "result"]


def table(rows: list[dict[str, Any]]) -> str:
    lines = [HEAD, ["---"] * len(HEAD), *(_cells(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def headlines(rows: list[dict[str, Any]]) -> str:
    """A short table: what was measured, on which database, ours, and the others'."""
    lines = [["work", "database", OURS, "others"], ["---"] * 4]
    lines += [
        [row["work"], row["database"], f"{number(row['medians'][OURS])} {row['unit']}", _others(row)] for row in rows
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cells(row: dict[str, Any]) -> list[str]:
    work = f"{row['work']} ({row['note']})" if row["note"] else row["work"]
    goals = "<br>".join(goal["text"] for goal in row["goals"]) or "–"
    results = "<br>".join(_result(goal) for goal in row["goals"]) or "–"
    return [work, row["database"], row["unit"], number(row["medians"][OURS]), _others(row), goals, results]


def _others(row: dict[str, Any]) -> str:
    """Each other's median, and ours by it."""
    names = [name for name in row["medians"] if name != OURS]
    cells = [f"{name} {number(row['medians'][name])} ({number(row['ratios'][name])} ×)" for name in names]
    return "<br>".join(cells) or "–"


def _result(goal: dict[str, Any]) -> str:
    if goal["value"] is None:
        return str(goal["verdict"])
    times = " ×" if "×" in goal["text"] else ""
    verdict = "*missed*" if goal["verdict"] == "missed" else goal["verdict"]
    return f"{verdict}: {number(goal['value'])}{times}"
