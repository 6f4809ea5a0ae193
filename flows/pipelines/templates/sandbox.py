"""The environment: Jinja's immutable sandbox, with lists of what is allowed in place of lists of what is not."""

from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from flows.pipelines.errors import TemplateRefused
from flows.pipelines.templates.effort import CHARACTERS, measured, spend
from flows.pipelines.templates.filters import FILTERS_ALLOWED, TESTS_ALLOWED
from flows.pipelines.templates.values import plain, shown

_ALLOWED_NODES: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.List, nodes.Tuple, nodes.Dict,
    nodes.Pair, nodes.Keyword, nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Call, nodes.Getitem, nodes.Getattr,
    nodes.Slice, nodes.Compare, nodes.Operand, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod,
    nodes.Not, nodes.And, nodes.Or, nodes.Neg, nodes.Pos, nodes.Concat, nodes.If, nodes.For, nodes.Assign,
)  # fmt: skip

_LOOP = frozenset({"index", "index0", "first", "last", "length", "revindex", "revindex0", "previtem", "nextitem"})
_GROUP = frozenset({"grouper", "list"})
_METHODS: tuple[tuple[type, frozenset[str]], ...] = (
    (str, frozenset({
        "capitalize", "count", "endswith", "find", "lower", "lstrip", "rstrip", "split", "splitlines", "startswith",
        "strip", "title", "upper",
    })),
    (dict, frozenset({"get", "items", "keys", "values"})),
    (list, frozenset({"count", "index"})),
)  # fmt: skip
_MAX_RANGE = 10_000


def bounded_range(*args: int) -> list[int]:
    """`range`, up to 10,000 numbers."""
    wanted = range(*args)
    if len(wanted) > _MAX_RANGE:
        raise TemplateRefused(f"range() gives more than {_MAX_RANGE} numbers")
    return list(wanted)


class PipelineEnvironment(ImmutableSandboxedEnvironment):
    """Values are JSON; attributes are their keys, and a few methods that change nothing and stay small."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined, autoescape=False, optimized=False, finalize=_finalize, cache_size=0,
            trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False,
        )  # fmt: skip
        self.filters = dict(FILTERS_ALLOWED)
        self.tests = dict(TESTS_ALLOWED)
        self.globals = {"range": bounded_range}

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, LoopContext) and attribute in _LOOP:
            return getattr(obj, attribute)
        if isinstance(obj, tuple) and attribute in _GROUP and hasattr(obj, "grouper"):
            return getattr(obj, attribute)
        for kind, names in _METHODS:
            if isinstance(plain(obj), kind) and attribute in names:
                return getattr(plain(obj), attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        spend(1)
        if isinstance(obj, Mapping):
            return obj[argument] if argument in obj else self.undefined(obj=obj, name=argument)
        try:
            found = obj[argument] if isinstance(obj, str | list | tuple) else self.undefined(obj=obj, name=argument)
        except (TypeError, LookupError):
            return self.undefined(obj=obj, name=argument)
        if isinstance(argument, slice) and isinstance(found, str | list | tuple):
            spend(len(found) // CHARACTERS)
        return found

    def is_safe_callable(self, obj: Any) -> bool:
        owner = getattr(obj, "__self__", None)
        return obj is bounded_range or isinstance(owner, str | dict | list)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        measured([args, list(kwargs.values()), getattr(__obj, "__self__", None)])
        return super().call(__context, __obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        left, right = plain(left), plain(right)
        if operator == "+" and isinstance(left, str) == isinstance(right, str) and isinstance(left, str | list):
            return measured(measured(left) + measured(right))
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            raise TemplateRefused(f"{operator!r} takes numbers here; join texts with ~")
        return measured(super().call_binop(context, operator, left, right))

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        return super()._generate(_Guard().visit(source), *args, **kwargs)


class _Guard(NodeTransformer):
    """Refuses what a template may not hold, and puts the limits where values are made, kept and compared."""

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        if type(node) not in _ALLOWED_NODES:
            raise TemplateRefused(f"it uses {type(node).__name__.lower()}, which templates may not", _line(node))
        return super().visit(node, *args, **kwargs)

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        if node.recursive:
            raise TemplateRefused("it uses a recursive loop, which templates may not", _line(node))
        self.generic_visit(node)
        node.iter = _filtered(node.iter, "_each")
        return node

    def visit_Assign(self, node: nodes.Assign) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.node = _filtered(node.node, "_kept")
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.expr = _filtered(node.expr, "_compared")
        for operand in node.ops:
            operand.expr = _filtered(operand.expr, "_compared")
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), "_joined")

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            raise TemplateRefused("it calls with * or **, which templates may not", _line(node))
        self.generic_visit(node)
        return node

    def visit_Name(self, node: nodes.Name) -> nodes.Node:  # noqa: N802
        if node.name in ("self", "super", "caller") or node.name.startswith("_"):
            raise TemplateRefused(f"it uses the name {node.name!r}, which templates may not", _line(node))
        return node


def _filtered(node: Any, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _finalize(value: Any) -> str:
    return shown(measured(value))


def _line(node: nodes.Node) -> int:
    return getattr(node, "lineno", 0) or 0


ENVIRONMENT = PipelineEnvironment()
