"""Measures one Python file with `ast` and `tokenize`."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from examples.repository_report.folder import LeavesFolder, read_inside
from examples.repository_report.schema import FileFacts, FunctionFacts, Mark

_MARK = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
_MOST_LISTED = 200
_LAYOUT = frozenset(
    {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER}
)
_BRANCHES = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case, ast.Assert)
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def analyse(folder: str, path: str) -> FileFacts:
    """The facts of the file `path` in `folder`. A file that cannot be read or parsed has its `problem` told in them."""
    try:
        source = read_inside(folder, path)
    except (OSError, LeavesFolder) as exc:
        return FileFacts(path=path, problem=f"cannot be read: {exc}")
    return measure(path, source)


def measure(path: str, source: bytes) -> FileFacts:
    """The facts of a file with the content `source`."""
    physical = source.splitlines() if b"\n" not in source else source.removesuffix(b"\n").split(b"\n")
    facts = FileFacts(path=path, lines=source.count(b"\n"), blank=sum(not line.strip() for line in physical))
    try:
        tree = ast.parse(source)
        tokens = list(tokenize.tokenize(io.BytesIO(source).readline))
    except (SyntaxError, ValueError, tokenize.TokenError, RecursionError, MemoryError) as exc:
        facts.problem = f"cannot be parsed: {exc}"
        return facts
    _measure_lines(facts, tree, tokens, len(physical))
    _measure_structure(facts, tree)
    return facts


def _measure_lines(facts: FileFacts, tree: ast.Module, tokens: list[tokenize.TokenInfo], physical: int) -> None:
    """Each physical line is of one kind: code first, then docstring, comment, blank."""
    documented = {
        line for node in _docstrings(tree) for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    code: set[int] = set()
    commented: set[int] = set()
    for token in tokens:
        if token.type == tokenize.COMMENT:
            commented.add(token.start[0])
            facts.marks += _marks_of(token)
        elif token.type == tokenize.STRING and token.start[0] in documented:
            continue
        elif token.type not in _LAYOUT:
            code.update(range(token.start[0], token.end[0] + 1))
    facts.marks = facts.marks[:_MOST_LISTED]
    facts.code = len(code)
    facts.docstrings = len(documented - code)
    facts.comments = len(commented - code - documented)
    facts.blank = physical - len(code | documented | commented)


def _marks_of(comment: tokenize.TokenInfo) -> list[Mark]:
    return [Mark(line=comment.start[0], word=word) for word in _MARK.findall(comment.string)]


def _docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if not isinstance(node, _Documented) or not node.body:
            continue
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            yield first.value


def _measure_structure(facts: FileFacts, tree: ast.Module) -> None:
    functions = list(functions_of(tree))
    facts.functions = len(functions)
    facts.classes = sum(isinstance(node, ast.ClassDef) for node in ast.walk(tree))
    facts.complexity = sum(function.complexity for function in functions)
    facts.longest = max(functions, key=lambda function: function.lines, default=None)
    facts.hardest = max(functions, key=lambda function: function.complexity, default=None)
    facts.imports = sorted(set(_imports(tree)))[:_MOST_LISTED]


def functions_of(tree: ast.Module) -> Iterator[FunctionFacts]:
    """Every function, named with the classes and functions around it."""
    waiting: list[tuple[ast.AST, str]] = [(tree, "")]
    while waiting:
        node, around = waiting.pop()
        for child in ast.iter_child_nodes(node):
            inside = around
            if isinstance(child, ast.ClassDef | _Function):
                inside = f"{around}.{child.name}" if around else child.name
            if isinstance(child, _Function):
                yield _facts_of_function(child, inside)
            waiting.append((child, inside))


def _facts_of_function(node: _Function, name: str) -> FunctionFacts:
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    return FunctionFacts(name=name, line=node.lineno, lines=lines, complexity=1 + sum(map(_branches, _own_nodes(node))))


def _own_nodes(function: _Function) -> Iterator[ast.AST]:
    """The nodes of a function without those of the functions and classes defined in it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ClassDef | _Function):
            continue
        yield node
        waiting.extend(ast.iter_child_nodes(node))


def _branches(node: ast.AST) -> int:
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, ast.comprehension):
        return 1 + len(node.ifs)
    return int(isinstance(node, _BRANCHES))


def _imports(tree: ast.Module) -> Iterator[str]:
    """The first part of each imported module's name; "." for a relative import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0] if not node.level else "."
