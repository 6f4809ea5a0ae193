"""Expressions in `when()`: what they are true of, and that none takes long."""

import time
from typing import Any

import pytest

from flows.agents.rules import cel
from flows.agents.rules.errors import NoAnswer

NAMES: dict[str, Any] = {
    "structured": {
        "review": {"score": 8.5, "count": 3, "issues": [{"level": "high"}, {"level": "low"}], "summary": "is sound"},
        "write plan": {"done": True},
    },
    "context": {"task": "tidy", "iteration": 4, "steps": {"plan": {"status": "done", "matched": "ready"}}},
}


@pytest.mark.parametrize(
    "expression",
    [
        "structured.review.score >= 8 && structured.review.count == 3",
        'structured.review.issues.exists(issue, issue.level == "high")',
        'structured.review.issues.filter(issue, issue.level == "high").size() == 1',
        'size(structured.review.issues) == 2 && "a" in ["a", "b"]',
        'structured["write plan"].done',
        'structured.review.summary.contains("sound") && !structured.review.summary.startsWith("no")',
        'context.steps.plan.matched == "ready" && context.iteration % 2 == 0',
        "!has(structured.review.absent) && !has(structured.nobody)",
        'context.task == "exists(" || context.task == "tidy" // a remark (',
    ],
)
def test_an_expression_is_true(expression: str) -> None:
    assert cel.evaluate(expression, NAMES) is True


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("structured.nobody.score > 1", "nobody"),
        ("structured.review.issues[7].level == 'x'", "index"),
        ("structured.review.score + 'a' == 'b'", ""),
        ("structured.review.count / 0 == 1", "zero"),
        ("structured.review.count", "int"),
        ("context.steps", "dict"),
    ],
)
def test_an_expression_without_an_answer_says_why(expression: str, reason: str) -> None:
    with pytest.raises(NoAnswer) as why:
        cel.evaluate(expression, NAMES)
    assert reason in why.value.reason
    assert why.value.reason


@pytest.mark.parametrize(
    "expression",
    [
        "size(structured.s.rows.filter(row, row.n >= 0)) > 5",
        "structured.s.rows.exists(row, structured.s.text.contains('b'))",
        "structured.s.rows.map(row, row.n) == []",
        "structured.s.more == []",
    ],
)
def test_what_would_take_long_is_not_begun(expression: str) -> None:
    names = {"structured": {"s": {"rows": [{"n": n} for n in range(9000)], "text": "a" * 100_000, "more": []}}}
    if "more" in expression:
        names["structured"]["s"]["more"] = [0] * 10_001
    begun = time.process_time()
    with pytest.raises(NoAnswer, match="too large"):
        cel.evaluate(expression, names)
    assert time.process_time() - begun < 2


def test_a_long_list_may_be_gone_through_once() -> None:
    rows = [{"level": "low"} for _ in range(9000)]
    assert cel.evaluate('structured.s.rows.all(row, row.level == "low")', {"structured": {"s": {"rows": rows}}})


def test_it_is_known_which_expressions_are_constant() -> None:
    assert cel.constant("1 + 1 == 2") is True
    assert cel.constant("1 > 2") is False
    assert cel.constant("1 / 0 == 1") is False
    assert cel.constant("context.iteration > 2") is None
