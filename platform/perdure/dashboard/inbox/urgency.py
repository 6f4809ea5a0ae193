"""The order in which a person should look at what waits for them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hitl.models import Question

SOON = timedelta(hours=1)
TODAY = timedelta(days=1)


@dataclass(frozen=True)
class Group:
    """Questions of one urgency, with the sentence that says why they stand together."""

    key: str
    title: str
    hint: str
    questions: list[Question]


_GROUPS = [
    ("soon", "Within the hour", "Their deadline comes first."),
    ("today", "Today", "Their deadline is within a day, or you were reminded of them."),
    ("later", "No hurry", "Nothing runs out today; the oldest is first."),
]


def grouped(questions: Iterable[Question], now: datetime) -> list[Group]:
    """Groups that hold something, the most urgent first; inside each the order stays."""
    held: dict[str, list[Question]] = {key: [] for key, _, _ in _GROUPS}
    for question in questions:
        held[_urgency(question, now)].append(question)
    return [Group(key, title, hint, held[key]) for key, title, hint in _GROUPS if held[key]]


def _urgency(question: Question, now: datetime) -> str:
    left = question.deadline - now if question.deadline is not None else None
    if left is not None and left <= SOON:
        return "soon"
    pressed = question.reminded_at is not None or question.escalated_at is not None
    return "today" if pressed or (left is not None and left <= TODAY) else "later"
