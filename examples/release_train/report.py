"""The summary that people decide by."""

from examples.release_train.schema import Archive, Linted, Notes
from examples.text import code, counted, table


def write_sections(version: str, linted: Linted, archive: Archive, notes: Notes) -> list[str]:
    """The summary's sections in order; each ends with an empty line."""
    rules = [(code(one.rule), one.count) for one in linted.rules[:20]]
    return [
        f"# Release {version}\n\n",
        table(("Part", "Result"), [(row["part"], row["result"]) for row in part_rows(linted, archive, notes)]),
        "## Findings of ruff\n\n" + (table(("Rule", "Findings"), rows=rules) if rules else "None.\n\n"),
        f"## Notes\n\n{notes.text}\n\n",
    ]


def part_rows(linted: Linted, archive: Archive, notes: Notes) -> list[dict[str, str]]:
    """One row for each child."""
    return [
        {"part": "lint", "result": counted(linted.findings, "finding")},
        {
            "part": "archive",
            "result": f"{counted(archive.files, 'file')}, {archive.bytes} bytes, SHA-256 {archive.sha256[:12]}",
        },
        {"part": "notes", "result": "of the changelog" if notes.source == "changelog" else "a draft"},
    ]
