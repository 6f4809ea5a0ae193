"""What stands in a rule's `condition`: a plain label, `ai("...")`, `when(...)`, `all("...")`, `any("...")`."""

import re
from dataclasses import dataclass
from functools import lru_cache

from flows.agents.rules import cel
from flows.agents.rules.errors import InvalidCondition

ERROR = "error"
"""The label that a sub-step has whose work failed."""

MOST_LABELS = 100


@dataclass(frozen=True, slots=True)
class Label:
    """Words that the agent's tag or a judge finds to be true."""

    text: str


@dataclass(frozen=True, slots=True)
class Ai:
    """A question that only a judge answers."""

    text: str


@dataclass(frozen=True, slots=True)
class When:
    expression: str


@dataclass(frozen=True, slots=True)
class All:
    """Every sub-step matched this label; of several labels the n-th is the n-th sub-step's."""

    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """At least one sub-step matched one of these labels."""

    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class And:
    """All of these are true; at most one is a Label, none is an Ai."""

    parts: tuple[Label | When | All | Any, ...]


Condition = Label | Ai | When | All | Any | And

_FORM = re.compile(r"(ai|when|all|any)\s*\(", re.IGNORECASE)
_ARGUMENT = re.compile(r"""\s*"((?:\\.|[^"\\])*)"\s*|\s*'((?:\\.|[^'\\])*)'\s*""", re.DOTALL)
_STRING = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'""", re.DOTALL)


@lru_cache(maxsize=2000)
def parse(condition: str) -> Condition:
    """Raises InvalidCondition with what is wrong and the remedy."""
    text = condition.strip()
    if not text:
        raise InvalidCondition('The condition is empty. Write a label, ai("..."), when(...), all("...") or any("...").')
    parts = _parts(text)
    if len(parts) == 1 or not any(_FORM.match(part) for part in parts):
        return _one(text)
    found = tuple(_one(part) for part in parts)
    if sum(isinstance(part, Label) for part in found) > 1:
        raise InvalidCondition(f"{text!r} joins two labels. Join one label with when() only.")
    if any(isinstance(part, Ai) for part in found):
        raise InvalidCondition(f"{text!r} joins ai() with another condition. Let ai() stand alone in its rule.")
    return And(tuple(part for part in found if not isinstance(part, Ai | And)))


def label_of(condition: str) -> str:
    """The words by which `all()` and `any()` know a sub-step's condition: those of its label or of its ai()."""
    match parse(condition):
        case Label(text) | Ai(text):
            return text
        case And(parts):
            return next((part.text for part in parts if isinstance(part, Label)), condition.strip())
    return condition.strip()


def _parts(text: str) -> list[str]:
    """The pieces between `&&` that stand in no brackets. Quotes count in brackets only: labels have apostrophes."""
    pieces, depth, start, place = [], 0, 0, 0
    while place < len(text):
        string = _STRING.match(text, place) if depth else None
        if string:
            place = string.end()
            continue
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0 and text.startswith("&&", place):
            pieces.append(text[start:place].strip())
            start = place = place + 2
            continue
        place += 1
    return [*pieces, text[start:].strip()]


def _one(text: str) -> Condition:
    form = _FORM.match(text)
    if form is None:
        return _label(text)
    name = form[1].lower()
    inside = _inside(text, form)
    if name == "when":
        cel.check(inside)
        return When(inside)
    texts = _arguments(name, inside)
    if name == "ai":
        if len(texts) != 1:
            raise InvalidCondition(f'{text!r} has several texts. Write one: ai("the tests pass").')
        return Ai(texts[0])
    return All(texts) if name == "all" else Any(texts)


def _label(text: str) -> Label:
    if not text:
        raise InvalidCondition("A part of the condition is empty. Write something on both sides of &&.")
    return Label(text)


def _inside(text: str, form: re.Match[str]) -> str:
    if not text.endswith(")"):
        raise InvalidCondition(f"{text!r} does not end with a closing bracket. Write {form[1]}(...) and nothing else.")
    inside = text[form.end() : -1].strip()
    if not inside:
        raise InvalidCondition(f"{form[1]}() is empty. Say in the brackets what must be true.")
    return inside


def _arguments(name: str, inside: str) -> tuple[str, ...]:
    texts, place = [], 0
    while found := _ARGUMENT.match(inside, place):
        text = re.sub(r"\\(.)", r"\1", found[1] if found[1] is not None else found[2], flags=re.DOTALL).strip()
        texts.append(text)
        place = found.end()
        if place == len(inside) or inside[place] != ",":
            break
        place += 1
    if place != len(inside) or not texts or inside.endswith(","):
        raise InvalidCondition(f'{name}({inside}) is not text in quotes. Write {name}("approved").')
    if not all(texts) or len(texts) > MOST_LABELS:
        raise InvalidCondition(f"{name}() has an empty text or more than {MOST_LABELS}. Name each label once.")
    return tuple(texts)
