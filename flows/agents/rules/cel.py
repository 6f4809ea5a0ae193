"""`when(...)`: expressions of CEL, a language without loops, names of Python or side effects.

https://github.com/google/cel-spec. What the library computes in a time that grows with the square of what it is given
is left out or bounded here: an expression comes from a stored file and its values from a model, and both may be
hostile.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import cel

from flows.agents.rules.errors import InvalidCondition, NoAnswer
from flows.agents.rules.macros import Macro, macros_of, unquoted

NAMES = ("structured", "context")
FUNCTIONS = ("size", "contains", "startsWith", "endsWith", "int", "double", "string")
"""Functions that an expression may call. `matches` is not among them: a pattern costs what its writer likes."""

LONGEST = 1000
DEEPEST = 20
MOST_MACROS = 10
MOST_ELEMENTS = 10_000
HEAVIEST = 10_000_000
"""Of all values together, in characters; each value inside a list or a mapping counts as `ELEMENT` more."""
ELEMENT = 100
MOST_WORK = 1_000_000_000
"""Elements × weight, where the library copies the values for each element: about a second."""

_OPERATORS = frozenset(f"_{sign}_" for sign in ("&&", "||", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%"))
_SPECIAL = frozenset(("!_", "-_", "_?_:_", "_[_]", "@in", "@not_strictly_false"))


def check(expression: str) -> None:
    """Raises InvalidCondition unless the expression may stand in `when(...)`."""
    _program(expression)


def evaluate(expression: str, names: Mapping[str, Any]) -> bool:
    """Whether the expression is true of `names` (`structured` and `context`, plain JSON values).

    Raises NoAnswer with the reason where it is neither true nor false of them, InvalidCondition as `check` does.
    """
    program, macros = _program(expression)
    values = {name: names.get(name, {}) for name in NAMES}
    _refuse_too_much(values, macros)
    try:
        answer = program.execute(values)
    except KeyError as missing:
        raise NoAnswer(f"there is no {missing.args[0]!r}"[:300]) from None
    except Exception as failed:  # the library raises builtins of many kinds, all of them about the values
        raise NoAnswer(str(failed).splitlines()[0][:300] if str(failed) else type(failed).__name__) from None
    if not isinstance(answer, bool):
        raise NoAnswer(f"it gives {type(answer).__name__}, not true or false")
    return answer


def constant(expression: str) -> bool | None:
    """What the expression is whatever the values are; None where it depends on them."""
    program, macros = _program(expression)
    if macros or program.variables():
        return None
    try:
        return evaluate(expression, {})
    except NoAnswer:
        return False


@lru_cache(maxsize=500)
def _program(expression: str) -> tuple[cel.Program, tuple[Macro, ...]]:
    if len(expression) > LONGEST:
        raise InvalidCondition(f"when() is longer than {LONGEST} characters. Split it over several rules.")
    bare = unquoted(expression)
    if _depth(bare) > DEEPEST:
        raise InvalidCondition(f"when() has more than {DEEPEST} brackets inside each other. Make it flatter.")
    try:
        program = cel.compile(expression)
    except ValueError as wrong:
        raise InvalidCondition(
            f"when({expression}) is no CEL: {_first_cause(wrong)}. Correct the expression."
        ) from None
    macros = macros_of(bare)
    _refuse_macros(macros)
    _refuse_names(program, macros)
    return program, macros


def _first_cause(wrong: ValueError) -> str:
    lines = [line for line in str(wrong).splitlines() if "ERROR" in line] or [str(wrong)]
    return lines[0].split("<input>:")[-1].strip().rstrip(".")[:200]


def _depth(bare: str) -> int:
    depth = deepest = 0
    for character in bare:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _refuse_macros(macros: tuple[Macro, ...]) -> None:
    if len(macros) > MOST_MACROS:
        raise InvalidCondition(f"when() goes over more than {MOST_MACROS} lists. Split it over several rules.")
    for macro in macros:
        if macro.nested:
            raise InvalidCondition(
                f"when() has {macro.name}() inside another exists(), all(), filter() or map(), whose time grows "
                "with every list. Use one of them at a time."
            )
        if macro.variable in NAMES:
            raise InvalidCondition(f"when() calls an element {macro.variable!r}. Give it another name.")


def _refuse_names(program: cel.Program, macros: tuple[Macro, ...]) -> None:
    known = {*NAMES, *(macro.variable for macro in macros)}
    for name in program.variables():
        if name not in known:
            raise InvalidCondition(
                f"when() does not know {name!r}. "
                "Use structured.<step>.<field> or context.<name>; text stands in quotes."
            )
    for name in program.functions():
        if name not in _OPERATORS | _SPECIAL and name not in FUNCTIONS:
            raise InvalidCondition(f"when() has no function {name}(). Use one of: {', '.join(FUNCTIONS)}.")


def _refuse_too_much(values: dict[str, Any], macros: tuple[Macro, ...]) -> None:
    weight = longest = 0
    for value in _all_inside(values):
        if isinstance(value, str):
            weight += len(value)
        elif isinstance(value, (list, dict)):
            weight += ELEMENT * len(value)
            longest = max(longest, len(value))
        if weight > HEAVIEST or longest > MOST_ELEMENTS:
            raise NoAnswer("the values are too large for an expression")
    if sum(macro.copies for macro in macros) * longest * weight > MOST_WORK:
        raise NoAnswer("the lists are too large for filter(), map() or an expression that looks outside of them")


def _all_inside(value: Any) -> Iterator[Any]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
