"""What may stand in a rule's condition, and what is refused with a remedy."""

import pytest

from flows.agents.rules.conditions import Ai, All, And, Any, Condition, Label, When, label_of, parse
from flows.agents.rules.errors import InvalidCondition


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("approved", Label("approved")),
        ("  tests pass && lint is clean ", Label("tests pass && lint is clean")),
        ("all tests pass (mostly)", Label("all tests pass (mostly)")),
        ('ai("the \\"plan\\" is sound")', Ai('the "plan" is sound')),
        ("when(structured.review.score >= 8)", When("structured.review.score >= 8")),
        ('when("&&" == context.task && true)', When('"&&" == context.task && true')),
        ('all("approved")', All(("approved",))),
        ("all('sound', 'fast')", All(("sound", "fast"))),
        ('any("needs_fix", "error")', Any(("needs_fix", "error"))),
        ("it's done && when(context.iteration > 2)", And((Label("it's done"), When("context.iteration > 2")))),
        ('all("ok") && when(true)', And((All(("ok",)), When("true")))),
    ],
)
def test_a_condition_is_read(written: str, meant: Condition) -> None:
    assert parse(written) == meant


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("  ", "empty"),
        ("when()", "when() is empty"),
        ("when(1 +)", "is no CEL"),
        ("when(true) || when(false)", "is no CEL"),
        ("when(true) then", "closing bracket"),
        ("all(approved)", "is not text in quotes"),
        ('all("a",)', "is not text in quotes"),
        ('any("a" "b")', "is not text in quotes"),
        ('any("a", "")', "has an empty text"),
        ('ai("a", "b")', "several texts"),
        ('ai("a") && when(true)', "joins ai()"),
        ("one && other && when(true)", "joins two labels"),
        ("when(true) && ", "both sides of &&"),
        ("when(score > 3)", "does not know 'score'"),
        ('when(context.task.matches("(a+)+"))', "no function matches()"),
        ('when(timestamp("2026-01-01T00:00:00Z") == 1)', "no function timestamp()"),
        ("when(context.a.exists(x, context.b.all(y, y == x)))", "inside another"),
        ("when(context.a.exists(context, true))", "another name"),
        (f"when({'(' * 30}true{')' * 30})", "brackets inside each other"),
        (f"when(context.task == '{'a' * 1000}')", "longer than 1000"),
        ("when(" + " || ".join(["context.a.exists(x, x)"] * 11) + ")", "more than 10 lists"),
    ],
)
def test_a_condition_is_refused_with_a_remedy(written: str, words: str) -> None:
    with pytest.raises(InvalidCondition) as refused:
        parse(written)
    assert words in refused.value.problem
    assert refused.value.problem.endswith(".")


def test_a_sub_steps_condition_is_known_by_its_words() -> None:
    assert label_of('ai("sound")') == label_of("sound") == label_of("sound && when(true)") == "sound"
    assert label_of("when(true)") == "when(true)"
