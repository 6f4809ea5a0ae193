"""Which rule of a step matches what was answered.

In this order, and the first match ends it: what is computed (`all()`, `any()`, `when()`) in the file's order; the tag
`[STEP:N]`; one judge call over all `ai()`; one judge call over all plain labels. `strict` goes through the rules in
the file's order instead.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from flows.agents.rules.computing import SubMatch, holds, label, method_of, words
from flows.agents.rules.conditions import Ai, Condition, parse
from flows.agents.rules.tags import first_tag
from flows.agents.spec import Step

Method = Literal["aggregate", "when", "tag", "ai_judge", "label_judge", "default", "return", "next"]
MOST_NOTES = 50


@dataclass(frozen=True, slots=True)
class Answered:
    """What a step gave. `returned` is the label that a sub-flow ended with."""

    status: str
    content: str
    returned: str | None = None


@dataclass(frozen=True, slots=True)
class JudgeWord:
    """What a judge was asked and said. `number` counts from 1 over the conditions it was given; None is no verdict."""

    prompt: str
    answer: str
    number: int | None


Judge = Callable[[str, list[str]], Awaitable[JudgeWord]]
"""Given the part of the step's name that the call is recorded under, and the conditions to choose among."""


@dataclass(frozen=True, slots=True)
class Choice:
    """`rule_index` counts from 0; None where no rule decided (`default`, and `next` of a step without rules)."""

    rule_index: int | None
    condition: str | None
    method: Method
    judge: JudgeWord | None = None
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Choosing:
    step: Step
    conditions: list[Condition]
    subs: Sequence[SubMatch]
    names: Mapping[str, Any]
    judge: Judge
    tag: int | None = None
    notes: list[str] = field(default_factory=list)

    def match(self, index: int, method: Method, judge: JudgeWord | None = None) -> Choice:
        return Choice(index, self.step.rules[index].condition, method, judge, self.noted())

    def noted(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.notes))[:MOST_NOTES]

    def computed(self, index: int) -> Choice | None:
        """The match of a rule that needs nobody's word."""
        condition = self.conditions[index]
        method = method_of(condition)
        if method is None or not holds(condition, self.subs, self.names, self._note(index)):
            return None
        return self.match(index, method)

    def open(self, index: int) -> bool:
        """Whether a word of the agent or of a judge is enough for this rule: what is joined to its label holds."""
        return method_of(self.conditions[index]) is not None or holds(
            self.conditions[index], self.subs, self.names, self._note(index)
        )

    def find_tag(self, content: str) -> None:
        number = first_tag(self.step.name, content)
        if number is None:
            return
        if not 1 <= number <= len(self.conditions):
            self.notes.append(f"the tag names rule {number}, and there are {len(self.conditions)}: it counts as none")
        elif not self.open(number - 1):
            self.notes.append(f"the tag names rule {number}, whose when() is not true: it counts as none")
        else:
            self.tag = number - 1

    async def ask(self, part: str, indices: list[int], method: Method) -> Choice | None:
        """One judge call over these rules; none where there is nothing to ask."""
        if not indices:
            return None
        word = await self.judge(part, [words(self.conditions[index]) for index in indices])
        if word.number is None or not 1 <= word.number <= len(indices):
            self.notes.append(f"the {part} chose none of rules {', '.join(str(index + 1) for index in indices)}")
            return None
        return self.match(indices[word.number - 1], method, word)

    def _note(self, index: int) -> Callable[[str], None]:
        return lambda reason: self.notes.append(f"rule {index + 1}: {reason}")


async def choose(
    step: Step,
    answer: Answered,
    subs: Sequence[SubMatch],
    names: Mapping[str, Any],
    judge: Judge,
    order: Literal["default", "strict"] = "default",
) -> Choice | None:
    """The choice, or None where no rule matched and the step names no default."""
    if not step.rules:
        return Choice(None, None, "next") if step.default is None else Choice(None, None, "default")
    choosing = _Choosing(step, [parse(rule.condition) for rule in step.rules], subs, names, judge)
    found = _returned(choosing, answer)
    if found is None:
        choosing.find_tag(answer.content)
        found = await (_strict(choosing) if order == "strict" else _by_kind(choosing))
    if found is None and step.default is not None:
        return Choice(None, None, "default", notes=choosing.noted())
    return found


def _returned(choosing: _Choosing, answer: Answered) -> Choice | None:
    if answer.returned is None:
        return None
    for index, condition in enumerate(choosing.conditions):
        if label(condition) == answer.returned and choosing.open(index):
            return choosing.match(index, "return")
    return None


async def _by_kind(choosing: _Choosing) -> Choice | None:
    indices = range(len(choosing.conditions))
    for index in indices:
        if found := choosing.computed(index):
            return found
    if choosing.tag is not None:
        return choosing.match(choosing.tag, "tag")
    questions = [index for index in indices if isinstance(choosing.conditions[index], Ai)]
    if found := await choosing.ask("judge", questions, "ai_judge"):
        return found
    labels = [index for index in indices if label(choosing.conditions[index]) is not None and choosing.open(index)]
    return await choosing.ask("label judge", labels, "label_judge")


async def _strict(choosing: _Choosing) -> Choice | None:
    for index, condition in enumerate(choosing.conditions):
        found = choosing.computed(index)
        if found is None and choosing.tag == index:
            found = choosing.match(index, "tag")
        if found is None and isinstance(condition, Ai):
            found = await choosing.ask(f"judge {index + 1}", [index], "ai_judge")
        if found is None and label(condition) is not None and choosing.tag is None and choosing.open(index):
            found = await choosing.ask(f"judge {index + 1}", [index], "label_judge")
        if found is not None:
            return found
    return None


__all__ = ["Answered", "Choice", "Judge", "JudgeWord", "Method", "SubMatch", "choose"]
