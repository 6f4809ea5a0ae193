"""Checking templates and conditions when they are loaded, and rendering them in a run."""

import difflib
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from jinja2 import Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.environment import TemplateExpression

from flows.pipelines.errors import TemplateRefused
from flows.pipelines.templates.effort import MAX_OUTPUT, limited
from flows.pipelines.templates.filters import public
from flows.pipelines.templates.sandbox import ENVIRONMENT

T = TypeVar("T")

NAMES = ("answers", "index", "item", "job", "options", "previous", "source", "sources", "step")
"""What a template may refer to."""


class Wrong(NamedTuple):
    """What is wrong in a template, and in which of its lines, from 1."""

    message: str
    line: int


def render(text: str, values: Mapping[str, Any]) -> str:
    """Raises TemplateRefused."""
    return _guarded(lambda: _rendered(_template(text), values))


def evaluate(expression: str, values: Mapping[str, Any]) -> Any:
    """The value of an expression. Raises TemplateRefused."""
    return _guarded(lambda: _value(_expression(expression)(values)))


def problems_in(text: str, *, is_expression: bool = False) -> list[Wrong]:
    """What would refuse a template or an expression whatever it is given."""
    try:
        tree = _parsed(text, is_expression)
        found = list(_unknown_filters(tree))
        if not found:
            # not by way of the cache: whoever signs in may have any document checked
            (_expression if is_expression else _template).__wrapped__(text)
            found = list(_unknown_names(tree))
    except TemplateSyntaxError as exc:
        return [Wrong(f"bad template: {exc.message}", exc.lineno)]
    except TemplateRefused as exc:
        return [Wrong(f"bad template: {exc.problem}", exc.line or 1)]
    except (RecursionError, SyntaxError, ValueError, MemoryError) as exc:
        return [Wrong(f"bad template: it cannot be compiled ({type(exc).__name__})", 1)]
    return found


def references_to(text: str, name: str, *, is_expression: bool = False) -> Iterator[Wrong]:
    """What is looked up in the mapping `name` by a constant key: (key, line)."""
    tree = _parsed(text, is_expression)
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        of = getattr(node, "node", None)
        if not isinstance(of, nodes.Name) or of.name != name:
            continue
        if isinstance(node, nodes.Getattr):
            yield Wrong(node.attr, node.lineno)
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            yield Wrong(str(node.arg.value), node.lineno)


def line_of_use(text: str, name: str, *, is_expression: bool = False) -> int:
    """The line in which a template uses a name that it does not set itself; 0 where it does not."""
    tree = _parsed(text, is_expression)
    if name not in meta.find_undeclared_variables(tree):
        return 0
    return next(node.lineno for node in tree.find_all(nodes.Name) if node.name == name)


def _parsed(text: str, is_expression: bool) -> nodes.Template:
    return ENVIRONMENT.parse("{{ (" + text + "\n) }}" if is_expression else text)


def _unknown_filters(tree: nodes.Template) -> Iterator[Wrong]:
    known = {nodes.Filter: ("filter", ENVIRONMENT.filters), nodes.Test: ("test", ENVIRONMENT.tests)}
    for node in tree.find_all((nodes.Filter, nodes.Test)):
        what, names = known[type(node)]
        name = node.name
        if name not in names:
            near = difflib.get_close_matches(name, public(names), n=1)
            yield Wrong(f"bad template: there is no {what} {name!r}" + _meant(near), node.lineno)


def _unknown_names(tree: nodes.Template) -> Iterator[Wrong]:
    undeclared = meta.find_undeclared_variables(tree)
    for name in sorted(undeclared - {*NAMES, "range"}):
        line = next((node.lineno for node in tree.find_all(nodes.Name) if node.name == name), 1)
        near = difflib.get_close_matches(name, NAMES, n=1)
        told = _meant(near) or f"; use one of: {', '.join(NAMES)}"
        yield Wrong(f"bad template: there is no {name!r}{told}", line)


def _meant(near: list[str]) -> str:
    return f"; did you mean {near[0]!r}?" if near else ""


@lru_cache(maxsize=512)
def _template(text: str) -> Template:
    return ENVIRONMENT.from_string(text)


@lru_cache(maxsize=512)
def _expression(text: str) -> TemplateExpression:
    return ENVIRONMENT.compile_expression(text, undefined_to_none=False)


def _rendered(template: Template, values: Mapping[str, Any]) -> str:
    parts: list[str] = []
    length = 0
    for part in template.generate(values):
        parts.append(part)
        length += len(part)
        if length > MAX_OUTPUT:
            raise TemplateRefused(f"it gives more than {MAX_OUTPUT} characters")
    return "".join(parts)


def _value(value: Any) -> Any:
    str(value) if hasattr(value, "_fail_with_undefined_error") else None  # raises for a name that is not there
    return value


def _guarded(work: Callable[[], T]) -> T:
    try:
        with limited():
            return work()
    except TemplateRefused:
        raise
    except TemplateError as exc:
        raise TemplateRefused(str(exc.message or exc), getattr(exc, "lineno", 0) or 0) from exc
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as exc:
        raise TemplateRefused(f"{type(exc).__name__}: {exc}") from exc
