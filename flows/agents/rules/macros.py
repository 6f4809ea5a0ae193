"""CEL's macros in an expression: `list.exists(x, ...)`, `all`, `exists_one`, `filter`, `map`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_STRING = re.compile(
    r"""[bBrR]{0,2}(?:\"\"\".*?\"\"\"|'''.*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|//[^\n]*""", re.DOTALL
)
_CALL = re.compile(r"\.\s*(exists|all|exists_one|existsOne|filter|map)\s*\(\s*(?:([A-Za-z_]\w*)\s*,)?")
_OUTSIDE = re.compile(r"(?<![\w.])(?:structured|context)\b")


@dataclass(frozen=True, slots=True)
class Macro:
    """`variable` names an element. `copies`: the library copies values for each element (`filter`, `map`, or a body
    that looks outside of the list).
    """

    name: str
    variable: str
    nested: bool
    copies: bool


def unquoted(expression: str) -> str:
    """The expression with strings and comments emptied, so that what stands in them is no bracket and no name."""
    return _STRING.sub(lambda found: "" if found[0].startswith("//") else '""', expression)


def macros_of(bare: str) -> tuple[Macro, ...]:
    """All macros of an unquoted expression, in the order in which they begin."""
    return tuple(_macros(bare))


def _macros(bare: str) -> Iterator[Macro]:
    ends: list[int] = []
    for call in _CALL.finditer(bare):
        start = bare.index("(", call.start())
        end = _closing(bare, start)
        nested = any(call.start() < before for before in ends)
        ends.append(end)
        copies = call[1] in ("filter", "map") or bool(_OUTSIDE.search(bare, call.end(), end))
        yield Macro(call[1], call[2] or "", nested, copies)


def _closing(bare: str, start: int) -> int:
    depth = 0
    for place in range(start, len(bare)):
        depth += (bare[place] in "([{") - (bare[place] in ")]}")
        if depth == 0:
            return place
    return len(bare)
