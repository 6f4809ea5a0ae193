"""The filters and tests that templates may use. Each pays for what it is given before it touches it."""

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

from jinja2.filters import FILTERS, do_round
from jinja2.tests import TESTS

from flows.pipelines.errors import TemplateRefused
from flows.pipelines.templates.effort import MAX_OUTPUT, measured, spend
from flows.pipelines.templates.values import as_json, plain, shown

_FROM_JINJA = (
    "abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "groupby", "int", "items", "last",
    "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "sort",
    "title", "trim", "truncate", "unique", "upper", "urlencode", "wordcount",
)  # fmt: skip

_TESTS = (
    "boolean", "defined", "divisibleby", "eq", "equalto", "even", "false", "float", "ge", "greaterthan", "gt", "in",
    "integer", "iterable", "le", "lessthan", "lower", "lt", "mapping", "ne", "none", "number", "odd", "sequence",
    "string", "true", "undefined", "upper", "==", "!=", "<", "<=", ">", ">=",
)  # fmt: skip

_READING_TESTS = frozenset({
    "eq", "equalto", "ge", "greaterthan", "gt", "in", "le", "lessthan", "lower", "lt", "ne", "upper", "==", "!=", "<",
    "<=", ">", ">=",
})  # fmt: skip
"""Those that look at all of a value."""

_MOST_DIGITS = 300
"""Of a number that is rounded: powers of ten beyond those of a float take for ever."""


def joined(values: Any, separator: Any = "", attribute: str | None = None) -> str:
    """As Jinja's, with each value as it prints."""
    parts = [shown(_picked(part, attribute)) for part in values]
    spend(len(parts) * len(str(separator)) // 64)
    return str(separator).join(parts)


def replaced(value: Any, old: str, new: str) -> str:
    text = shown(value)
    if len(text) + text.count(old) * len(new) > MAX_OUTPUT:
        raise TemplateRefused("what it replaces makes the text too long")
    return text.replace(old, new)


def indented(value: Any, width: int = 4, first: bool = False) -> str:
    pad = " " * min(max(int(width), 0), 80)
    text = ("\n" + pad).join(shown(value).split("\n"))
    return pad + text if first else text


def summed(values: Any, attribute: str | None = None) -> Any:
    """Numbers added up, lists put one behind the other."""
    parts = [_picked(part, attribute) for part in values]
    if parts and all(isinstance(part, list) for part in parts):
        return [one for part in parts for one in part]
    if not all(isinstance(part, int | float) for part in parts):
        raise TemplateRefused("sum takes numbers or lists; join texts with `join`")
    return sum(parts)


def rounded(value: Any, precision: int = 0, method: Literal["common", "ceil", "floor"] = "common") -> Any:
    """As Jinja's, to 300 digits at most."""
    if not -_MOST_DIGITS <= precision <= _MOST_DIGITS:
        raise TemplateRefused(f"round takes from -{_MOST_DIGITS} to {_MOST_DIGITS} digits")
    return do_round(value, precision, method)


def _picked(part: Any, attribute: str | None) -> Any:
    """What stands under a dotted path of keys."""
    for key in attribute.split(".") if attribute else ():
        if not isinstance(part, dict) or key not in part:
            raise TemplateRefused(f"there is no {attribute!r} in each of the values")
        part = part[key]
    return part


def each(values: Any) -> list[Any]:
    """What a loop goes over; every round is paid for."""
    given = list(values)
    spend(len(given))
    return given


def _paying(function: Callable[..., Any], keeps_text_data: bool = False) -> Callable[..., Any]:
    takes_more = hasattr(function, "jinja_pass_arg")

    @functools.wraps(function)
    def paid(*args: Any, **kwargs: Any) -> Any:
        own, given = (args[:1], args[1:]) if takes_more else ((), args)
        values = [_made(value) if keeps_text_data else plain(_made(value)) for value in given]
        measured(values)
        measured(list(kwargs.values()))
        return _made(function(*own, *values, **kwargs))

    return paid


def _made(value: Any) -> Any:
    """A lazy result made and paid for now, where the limits can see it."""
    return measured(list(value)) if isinstance(value, Iterator) else value


def _of_jinja(function: Any) -> Callable[..., Any]:
    made: Callable[..., Any] = function  # typed there as a bare `function`
    return made


def _paid_test(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def paid(*args: Any) -> Any:
        measured(args)
        return function(*args)

    return paid


def _kept(value: Any) -> Any:
    return value


_OWN: dict[str, Callable[..., Any]] = {
    "join": joined, "replace": replaced, "indent": indented, "round": rounded, "sum": summed, "string": shown,
    "tojson": as_json, "_each": each, "_joined": joined,
}  # fmt: skip

FILTERS_ALLOWED: dict[str, Callable[..., Any]] = {
    **{name: _paying(_of_jinja(FILTERS[name])) for name in _FROM_JINJA},
    **{name: _paying(function, keeps_text_data=name in ("tojson", "_each")) for name, function in _OWN.items()},
    "_kept": _paying(_kept, keeps_text_data=True),
    "_compared": _paying(_kept),
}

TESTS_ALLOWED: dict[str, Callable[..., Any]] = {
    name: _paid_test(_of_jinja(TESTS[name])) if name in _READING_TESTS else _of_jinja(TESTS[name]) for name in _TESTS
}


def public(names: Iterable[str]) -> list[str]:
    """The names that people write."""
    return sorted(name for name in names if name[0].isalpha())
