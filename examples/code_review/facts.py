"""What `ast` and `difflib` tell about a changed file."""

import ast
import difflib
from collections import Counter

from examples.code_review.diff import FileChange, lines_of
from examples.code_review.patching import Versions
from examples.code_review.schema import FileReview, Finding
from examples.repository_report.analysis import functions_of
from examples.repository_report.schema import FunctionFacts

LONGEST_FUNCTION = 40
HARDEST_FUNCTION = 10
MOST_FINDINGS = 500
_Documented = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def review_file(change: FileChange, versions: Versions) -> FileReview:
    """The measures of one changed file; `ruff` adds its findings to them."""
    match = difflib.SequenceMatcher(None, lines_of(versions.before or ""), lines_of(versions.after or ""))
    changed = [codes for codes in match.get_opcodes() if codes[0] != "equal"]
    review = FileReview(
        path=change.path, kind=change.kind, hunks=[hunk.number for hunk in change.hunks],
        added=sum(end - start for _, _, _, start, end in changed),
        removed=sum(end - start for _, start, end, _, _ in changed),
        similarity=round(match.ratio(), 3), digest=versions.digest,
    )  # fmt: skip
    if change.path.endswith((".py", ".pyi")):
        _measure(review, versions)
    return review


def what_is_new(before: list[Finding], after: list[Finding]) -> list[Finding]:
    """The first findings that the change brings in: lines move, so they are told apart by rule and message."""
    old = Counter((finding.rule, finding.message) for finding in before)
    new = []
    for finding in after:
        if old[finding.rule, finding.message]:
            old[finding.rule, finding.message] -= 1
        else:
            new.append(finding)
    return new[:MOST_FINDINGS]


def _measure(review: FileReview, versions: Versions) -> None:
    try:
        tree = ast.parse(versions.after or "")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as exc:
        line = getattr(exc, "lineno", None) or 1
        review.findings = [Finding(path=review.path, line=line, rule="syntax-error", message=f"{exc}"[:300])]
        return
    functions = list(functions_of(tree))
    old_tree = _parsed(versions.before or "")
    old_functions = list(functions_of(old_tree))
    review.functions = len(functions)
    review.complexity = sum(one.complexity for one in functions)
    review.complexity_before = sum(one.complexity for one in old_functions)
    review.findings = what_is_new(_judge(review.path, old_tree, old_functions), _judge(review.path, tree, functions))


def _parsed(source: str) -> ast.Module:
    """An old version that cannot be parsed had nothing to compare with."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def _judge(path: str, tree: ast.Module, functions: list[FunctionFacts]) -> list[Finding]:
    found = []
    for one in functions:
        if one.lines > LONGEST_FUNCTION:
            message = f"{one.name} is longer than {LONGEST_FUNCTION} lines"
            found.append(Finding(path=path, line=one.line, rule="long-function", message=message))
        if one.complexity > HARDEST_FUNCTION:
            message = f"{one.name} has more than {HARDEST_FUNCTION} branches"
            found.append(Finding(path=path, line=one.line, rule="complex-function", message=message))
    return found + _undocumented(path, tree)


def _undocumented(path: str, tree: ast.Module) -> list[Finding]:
    """Public classes and functions of the module, and public methods of those classes."""
    found = []
    owners: list[ast.Module | ast.ClassDef] = [tree, *(one for one in tree.body if isinstance(one, ast.ClassDef))]
    for owner in owners:
        for node in owner.body:
            if isinstance(node, _Documented) and not node.name.startswith("_") and ast.get_docstring(node) is None:
                message = f"{node.name} is public and has no docstring"
                found.append(Finding(path=path, line=node.lineno, rule="missing-docstring", message=message))
    return found
