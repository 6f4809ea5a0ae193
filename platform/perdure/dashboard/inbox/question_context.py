"""What a question shows beside its body, in parts that a page can show: diff, tables, facts, texts, and JSON."""

from dataclasses import dataclass, field
from typing import Any

from flows.llm.tools.naming import shown_tool_name
from perdure.dashboard.diffs.lines import spelt

MAX_ROWS = 500
_LONGEST_FACT = 200


@dataclass(frozen=True)
class Table:
    """Rows with a text for each column; the title is empty where the whole context is the table."""

    title: str
    columns: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class ToolCall:
    """`description` is what the tool says of itself; `arguments` is all that it would be called with."""

    name: str
    description: str
    arguments: Any


@dataclass(frozen=True)
class ShownContext:
    """`diff` is a unified one. `facts` and `texts` are pairs of a title and what it says; a text has several lines, or
    a long one."""

    call: ToolCall | None = None
    diff: str = ""
    tables: list[Table] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    rest: Any = None


def read_context(context: Any) -> ShownContext:
    """A list of flat objects is a table; so is each in an object, whose text `diff` is a diff. The rest is JSON, but
    for plain values of an object that has nothing else."""
    if _is_table(context):
        return ShownContext(tables=[_table("", context)])
    if not isinstance(context, dict):
        return ShownContext(rest=context)
    rest = dict(context)
    diff = rest.pop("diff") if isinstance(context.get("diff"), str) else ""
    titles = [name for name, value in rest.items() if _is_table(value)]
    tables = [_table(_as_title(name), rest.pop(name)) for name in titles]
    if any(isinstance(value, dict | list) for value in rest.values()):
        return ShownContext(diff=diff, tables=tables, rest=rest)
    plain = [(_as_title(name), _as_text(value)) for name, value in rest.items()]
    facts = [(title, spelt(text)) for title, text in plain if _is_fact(text)]
    texts = [(title, _spelt_lines(text)) for title, text in plain if not _is_fact(text)]
    return ShownContext(diff=diff, tables=tables, facts=facts, texts=texts)


def _is_fact(text: str) -> bool:
    return "\n" not in text and len(text) <= _LONGEST_FACT


def _spelt_lines(text: str) -> str:
    return "\n".join(map(spelt, text.split("\n")))


def read_tool_call(context: Any) -> ShownContext:
    """The call that people decide, and as JSON whatever else is shown with it."""
    rest = dict(context)
    name = shown_tool_name(str(rest.pop("name", "")))
    call = ToolCall(name, str(rest.pop("description", "")), rest.pop("arguments", {}))
    return ShownContext(call=call, rest=rest or None)


def _is_table(value: Any) -> bool:
    return (
        isinstance(value, list)
        and 0 < len(value) <= MAX_ROWS
        and all(isinstance(row, dict) and row for row in value)
        and not any(isinstance(cell, dict | list) for row in value for cell in row.values())
    )


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return Table(title, list(map(_as_title, names)), [[_as_text(row.get(name)) for name in names] for row in rows])


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _as_title(name: str) -> str:
    return name[:1].upper() + name[1:].replace("_", " ")
