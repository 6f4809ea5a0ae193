"""A text that answers a question, whatever the question wants."""

import json
from typing import Any, Final, NamedTuple

from flows.agents.rehearsal.people import tester
from hitl.answers import answer, withdraw
from hitl.errors import InvalidAnswer
from hitl.models import Decision, Kind, Question
from hitl.schemas import check_value

_YES: Final = frozenset(("approve", "approved", "yes", "y", "ok"))
_NO: Final = frozenset(("deny", "denied", "no", "n"))


class UnfitAnswer(Exception):
    """Says which answer fits what question not, and what would."""


class Decided(NamedTuple):
    decision: str
    value: Any = None


def settle(question: Question, text: str) -> None:
    """Answer the question, by as many people as it wants. Raises UnfitAnswer."""
    decided = decide(question, text)
    for number in range(question.quorum):
        try:
            answer(question.id, tester(number), decided.decision, decided.value, digest=question.digest)
        except InvalidAnswer as exc:
            raise _unfit(question, text, "; ".join(field["message"] for field in exc.fields)) from exc


def refuse(question: Question) -> None:
    """Nobody answers: the question is withdrawn."""
    withdraw(question.id, tester(0), "no answer is left")


def decide(question: Question, text: str) -> Decided:
    """Raises UnfitAnswer."""
    word = text.strip().lower()
    if Decision.DENY in question.decisions and word in _NO:
        return Decided(Decision.DENY)
    match question.kind:
        case Kind.APPROVAL | Kind.TOOL_CALL:
            if word not in _YES:
                raise _unfit(question, text, "it takes approve or deny")
            return Decided(Decision.APPROVE)
        case Kind.LIMIT:
            return Decided(Decision.APPROVE, None if word in _YES else _value(question, text))
        case Kind.CHOICE:
            return Decided(Decision.CHOOSE, _choice(question, text))
    return Decided(Decision.SUBMIT, _value(question, text))


def _choice(question: Question, text: str) -> Any:
    """Raises UnfitAnswer."""
    for choice in question.choices:
        if text == choice or text.strip() == (choice if isinstance(choice, str) else json.dumps(choice)):
            return choice
    raise _unfit(question, text, f"it takes one of {', '.join(map(str, question.choices))}")


def _value(question: Question, text: str) -> Any:
    """The text itself, JSON of it, or either as the one property of an object. Raises UnfitAnswer."""
    schema = question.schema or {}
    candidates = [text, *_json(text)]
    properties = list(schema.get("properties", {}))
    if len(properties) == 1:
        candidates += [{properties[0]: one} for one in list(candidates)]
    problem = ""
    for one in candidates:
        try:
            check_value(schema, one)
            return one
        except InvalidAnswer as exc:
            problem = "; ".join(field["message"] for field in exc.fields)
    raise _unfit(question, text, f"it takes a value of its schema ({problem})")


def _json(text: str) -> list[Any]:
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        return []


def _unfit(question: Question, text: str, why: str) -> UnfitAnswer:
    return UnfitAnswer(f"The answer {text[:100]!r} does not fit {question.title!r}: {why.rstrip('.')}.")
