"""What of a condition is computed: `all()`, `any()` over sub-steps, `when()` over values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any as Anything
from typing import Literal

from flows.agents.rules import cel
from flows.agents.rules.conditions import ERROR, Ai, All, And, Any, Condition, Label, When, label_of
from flows.agents.rules.errors import NoAnswer

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SubMatch:
    """A sub-step and the condition of its that matched, as written; None where none did."""

    name: str
    status: str
    condition: str | None

    def has(self, label: str) -> bool:
        """A sub-step whose work failed has the label `error` and no other."""
        if self.status == ERROR:
            return label == ERROR
        return self.condition is not None and label in (self.condition.strip(), label_of(self.condition))


def method_of(condition: Condition) -> Literal["aggregate", "when"] | None:
    """How a condition is decided that needs nobody's word; None for one with a label or an ai() in it."""
    parts = condition.parts if isinstance(condition, And) else (condition,)
    if any(isinstance(part, Label | Ai) for part in parts):
        return None
    return "aggregate" if any(isinstance(part, All | Any) for part in parts) else "when"


def label(condition: Condition) -> str | None:
    """The plain label in it."""
    parts = condition.parts if isinstance(condition, And) else (condition,)
    return next((part.text for part in parts if isinstance(part, Label)), None)


def words(condition: Condition) -> str:
    """What a judge is asked about it."""
    return condition.text if isinstance(condition, Ai) else label(condition) or ""


def holds(condition: Condition, subs: Sequence[SubMatch], names: Mapping[str, Anything], note: Note) -> bool:
    """Whether all that is computed in it is true; a label or ai() is taken as true. Reasons for no answer are noted."""
    match condition:
        case And(parts):
            return all(holds(part, subs, names, note) for part in parts)
        case When(expression):
            return _true(expression, names, note)
        case All(labels):
            return _every(labels, subs)
        case Any(labels):
            return any(sub.has(one) for sub in subs for one in labels)
    return True


def _true(expression: str, names: Mapping[str, Anything], note: Note) -> bool:
    try:
        return cel.evaluate(expression, names)
    except NoAnswer as why:
        note(f"when({expression}) has no answer: {why.reason}"[:500])
        return False


def _every(labels: Sequence[str], subs: Sequence[SubMatch]) -> bool:
    if len(labels) == 1:
        return bool(subs) and all(sub.has(labels[0]) for sub in subs)
    return len(labels) == len(subs) and all(sub.has(one) for sub, one in zip(subs, labels, strict=True))
