"""Markdown in parts, for reports: text of others stays text."""

from collections.abc import Sequence


def table(heads: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> str:
    """A table and an empty line; numbers stand right. There is at least one row."""
    alignment = ["---:" if isinstance(value, int | float) else "---" for value in rows[0]]
    return "".join("| " + " | ".join(map(str, row)) + " |\n" for row in (heads, alignment, *rows)) + "\n"


def code(text: str) -> str:
    """As code in a table cell: a path may hold any character."""
    return f"`{text.replace('`', chr(39)).replace('|', '¦')}`"


def plain(text: str | None) -> str:
    """On one line of a table cell."""
    return " ".join((text or "").replace("|", "¦").replace("<", "&lt;").split())


def counted(number: int, what: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {what}{'' if number == 1 else 's'}"
