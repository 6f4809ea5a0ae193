"""The rules of a flow as their paragraph says them, once more and as plainly as can be, for comparison.

    Rules, in this order, the first match ends it: (1) `all()`, `any()` (over parallel sub-steps) and `when(expr)` (on
    structured output and context) in file order; (2) the tag `[STEP:N]`, case-insensitive, first in the text, N counted
    from 1 over all rules and range-checked; (3) one judge call over all `ai("...")` rules; (4) one judge call over
    plain labels, if no tag was found and no ai() matched. `rule_order: strict` evaluates every rule in file order
    instead. No match aborts unless a default is given.

Nothing of Perdure is used here. Expressions are known by a table of Python functions, not evaluated.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple


class Found(NamedTuple):
    rule: int | None  # from 0
    method: str


class Sub(NamedTuple):
    status: str
    condition: str | None


Judge = Callable[[list[str]], int | None]
"""Given the conditions in order, the number of one of them, counted from 1; anything else is no verdict."""

Whens = Mapping[str, Callable[[Any], bool]]
"""What the expressions in `when()` mean. What raises is not true."""


class Rules:
    """The rules of one step, of whose answer, sub-steps and context all is known."""

    def __init__(
        self, step: str, rules: Sequence[str], answer: str, subs: Sequence[Sub], whens: Whens, context: Any
    ) -> None:
        self.step, self.rules, self.answer, self.subs = step, list(rules), answer, list(subs)
        self.whens, self.context = whens, context

    def find(self, judge: Judge, order: str, default: bool) -> Found | None:
        if not self.rules:
            return Found(None, "default" if default else "next")
        found = self.in_file_order(judge) if order == "strict" else self.by_kind(judge)
        if found is None and default:
            return Found(None, "default")
        return found

    def by_kind(self, judge: Judge) -> Found | None:
        for number in range(len(self.rules)):  # (1)
            if self.is_computed(number) and self.computes_to_true(number):
                return Found(number, self.kind_of_computation(number))
        tagged = self.tagged_rule()
        if tagged is not None:  # (2)
            return Found(tagged, "tag")
        asked = [number for number, rule in enumerate(self.rules) if rule.startswith("ai(")]
        if asked:  # (3)
            said = judge([self.rules[number][4:-2] for number in asked])
            if said is not None and 1 <= said <= len(asked):
                return Found(asked[said - 1], "ai_judge")
        labels = [number for number in range(len(self.rules)) if self.is_label(number) and self.rest_is_true(number)]
        if labels:  # (4)
            said = judge([self.label(number) for number in labels])
            if said is not None and 1 <= said <= len(labels):
                return Found(labels[said - 1], "label_judge")
        return None

    def in_file_order(self, judge: Judge) -> Found | None:
        tagged = self.tagged_rule()
        for number, rule in enumerate(self.rules):
            if self.is_computed(number) and self.computes_to_true(number):
                return Found(number, self.kind_of_computation(number))
            if tagged == number:
                return Found(number, "tag")
            if rule.startswith("ai(") and judge([rule[4:-2]]) == 1:
                return Found(number, "ai_judge")
            ask = self.is_label(number) and tagged is None and self.rest_is_true(number)
            if ask and judge([self.label(number)]) == 1:
                return Found(number, "label_judge")
        return None

    def tagged_rule(self) -> int | None:
        text = self.answer.lower().replace("[step:", f"[{self.step}:".lower())  # the word STEP stands for any step
        start = f"[{self.step}:".lower()
        while start in text:
            text = text[text.index(start) + len(start) :]
            digits = text.split("]")[0]
            if "]" in text and digits and all(digit in "0123456789" for digit in digits):
                number = int(digits)
                in_range = 1 <= number <= len(self.rules)
                return number - 1 if in_range and self.rest_is_true_of_a_label(number - 1) else None
        return None

    # What a condition is made of. Only `label && when(...)`, `all(...) && when(...)` and `any(...) && when(...)` occur.

    def parts(self, number: int) -> list[str]:
        return self.rules[number].split(" && ")

    def is_label(self, number: int) -> bool:
        return not self.parts(number)[0].startswith(("ai(", "when(", "all(", "any("))

    def label(self, number: int) -> str:
        return self.parts(number)[0]

    def is_computed(self, number: int) -> bool:
        return self.parts(number)[0].startswith(("when(", "all(", "any("))

    def kind_of_computation(self, number: int) -> str:
        return "when" if self.parts(number)[0].startswith("when(") else "aggregate"

    def computes_to_true(self, number: int) -> bool:
        return all(self.is_true(part) for part in self.parts(number))

    def rest_is_true(self, number: int) -> bool:
        return all(self.is_true(part) for part in self.parts(number)[1:])

    def rest_is_true_of_a_label(self, number: int) -> bool:
        return not self.is_label(number) or self.rest_is_true(number)

    def is_true(self, part: str) -> bool:
        if part.startswith("when("):
            try:
                return self.whens[part](self.context)
            except (KeyError, TypeError):
                return False
        texts = [text[1:-1] for text in part[4:-1].split(", ")]
        if part.startswith("any("):
            return any(self.sub_matched(sub, text) for sub in self.subs for text in texts)
        if len(texts) == 1:
            return len(self.subs) > 0 and all(self.sub_matched(sub, texts[0]) for sub in self.subs)
        if len(texts) != len(self.subs):
            return False
        return all(self.sub_matched(sub, text) for sub, text in zip(self.subs, texts, strict=True))

    def sub_matched(self, sub: Sub, text: str) -> bool:
        if sub.status == "error":
            return text == "error"
        if sub.condition is None:
            return False
        words = sub.condition[4:-2] if sub.condition.startswith("ai(") else sub.condition.split(" && ")[0]
        return text in (sub.condition, words)
