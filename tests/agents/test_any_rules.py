"""Whatever the rules, the answer and the judges' words are: the rule that the paragraph says is chosen."""

from collections.abc import Coroutine
from typing import Any

import hypothesis
from hypothesis import strategies as st

from flows.agents.rules.choosing import Answered, Choice, JudgeWord, SubMatch, choose
from flows.agents.spec import Rule, Step
from tests.agents import naive

WHENS: naive.Whens = {
    "when(true)": lambda context: True,
    "when(context.vars.n > 2)": lambda context: context["vars"]["n"] > 2,
    "when(context.iteration == 1)": lambda context: context["iteration"] == 1,
    'when(context.vars.kind == "big")': lambda context: context["vars"]["kind"] == "big",
    "when(context.answers.exists(one, one == 3))": lambda context: 3 in context["answers"],
    "when(context.vars.n)": lambda context: False,
}
labels = st.sampled_from(["good", "bad", "error", "late"])
whens = st.sampled_from(sorted(WHENS))


@st.composite
def aggregates(draw: st.DrawFn) -> str:
    texts = draw(st.lists(labels, min_size=1, max_size=3))
    return f"{draw(st.sampled_from(['all', 'any']))}({', '.join(chr(34) + text + chr(34) for text in texts)})"


def joined(first: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda one, other: f"{one} && {other}", first, whens)


questions = labels.map(lambda text: f'ai("{text}")')
own_conditions = labels | questions | whens | joined(labels)
conditions = labels | questions | own_conditions | aggregates() | joined(aggregates())
contexts = st.fixed_dictionaries(
    {"iteration": st.integers(1, 2), "answers": st.lists(st.integers(2, 3), max_size=2)},
    optional={
        "vars": st.fixed_dictionaries({}, optional={"n": st.integers(1, 4), "kind": st.sampled_from(["big", 1])})
    },
)
tags = st.builds("[{}:{}]".format, st.sampled_from(["Review", "review", "REVIEW", "STEP", "fix"]), st.integers(0, 7))
answers = st.lists(tags | st.sampled_from(["fine", "[REVIEW:x]", "[REVIEW:", "[review:2"]), max_size=4).map(" ".join)
subs = st.builds(naive.Sub, st.sampled_from(["done", "done", "done", "error"]), st.none() | own_conditions)
verdicts = st.lists(st.sampled_from([None, 0, 1, 2, 3]), min_size=2, max_size=6)


class Judges:
    """Gives the same words in order, and remembers what was asked."""

    def __init__(self, words: list[int | None]) -> None:
        self.words, self.asked = list(words), list[list[str]]()

    def say(self, conditions: list[str]) -> int | None:
        self.asked.append(conditions)
        return self.words[len(self.asked) - 1] if len(self.asked) <= len(self.words) else None

    async def judge(self, part: str, conditions: list[str]) -> JudgeWord:
        return JudgeWord(prompt=part, answer="", number=self.say(conditions))


def at_once(choosing: Coroutine[Any, Any, Choice | None]) -> Choice | None:
    """What these judges are asked, they answer at once: there is no loop to wait in."""
    try:
        choosing.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("something was waited for")


@hypothesis.settings(max_examples=400)
@hypothesis.given(
    st.lists(conditions, max_size=5), answers, st.lists(subs, max_size=3), contexts, verdicts,
    st.sampled_from(["default", "strict"]), st.booleans(),
)  # fmt: skip
def test_the_rule_that_the_paragraph_says_is_chosen(
    rules: list[str], answer: str, subs: list[naive.Sub], context: dict[str, Any], words: list[int | None],
    order: Any, default: bool,
) -> None:  # fmt: skip
    plain, asked = Judges(words), Judges(words)
    expected = naive.Rules("Review", rules, answer, subs, WHENS, context).find(plain.say, order, default)
    step = Step(name="Review", rules=tuple(Rule(condition=rule) for rule in rules), default="x" if default else None)
    matches = [SubMatch(f"sub {place}", *sub) for place, sub in enumerate(subs)]
    choice = at_once(choose(step, Answered("done", answer), matches, {"context": context}, asked.judge, order))
    assert (choice and (choice.rule_index, choice.method)) == expected
    assert asked.asked == plain.asked
    if choice and choice.judge:
        assert choice.judge.number is not None


def test_a_sub_flows_word_chooses_first() -> None:
    step = Step(name="call", rules=(Rule(condition="when(true)"), Rule(condition="ok")))
    judges = Judges([])
    choice = at_once(choose(step, Answered("done", "[CALL:1]", returned="ok"), [], {}, judges.judge))
    assert choice is not None
    assert (choice.rule_index, choice.condition, choice.method) == (1, "ok", "return")


def test_what_made_rules_not_match_is_noted() -> None:
    step = Step(
        name="go", rules=(Rule(condition="when(structured.a.b > 1)"), Rule(condition="ok"), Rule(condition="no"))
    )
    choice = at_once(choose(step, Answered("done", "[GO:9]"), [], {}, Judges([2]).judge))
    assert choice is not None
    assert choice.notes == (
        "the tag names rule 9, and there are 3: it counts as none",
        "rule 1: when(structured.a.b > 1) has no answer: there is no 'a'",
    )
    choice = at_once(choose(step, Answered("done", ""), [], {}, Judges([]).judge))
    assert choice is None
