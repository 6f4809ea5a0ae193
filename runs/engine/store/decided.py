"""What people decided about: a fork that changes something keeps none of it."""

from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any
from uuid import UUID

from runs.errors import InvalidOption
from runs.events.types import EventType
from runs.models import Event, Run, Step

_CHILDREN = ("child", "start_child")
_NO_RUN = UUID(int=0)

ForkGuard = Callable[[Mapping[str, Any], Set[str]], bool]
_guards: list[ForkGuard] = []


def guard_forks(guard: ForkGuard) -> None:
    """Register who else refuses a fork that changes something. Belongs in an app's `ready`.

    `guard(kept, changed)` is given the recorded results that the fork keeps, by step, and which of them it changes;
    true where they decide whether people are asked, or hold what people said.
    """
    _guards.append(guard)


def refuse_decided(old: Run, kept: list[Step], changed: Set[str] = frozenset()) -> None:
    """What people decided holds for what they were shown, here or in a child's run. Raises InvalidOption."""
    results = {one.name: one.output for one in kept}
    if _asked_itself(old, kept) or _children_asked(kept) or any(guard(results, changed) for guard in _guards):
        problem = "would change what people may have decided about"
        remedy = "Fork from the step that asks or plans to, or that starts the child which does, so that it asks again."
        if old.forked_step:
            remedy = f"{remedy[:-1]}, or from the run that this one was forked from."
        raise InvalidOption("step", problem, remedy)


def _asked_itself(old: Run, kept: list[Step]) -> bool:
    """The events of a fork's own past lie with another run, so there each transaction counts as a question: questions
    are asked in one."""
    names = [one.name for one in kept]
    asked = Event.objects.filter(run=old, type=EventType.QUESTION_ASK, step__in=names).exists()
    return asked or bool(old.forked_step and any(one.kind == "transaction" for one in kept))


def _children_asked(kept: list[Step]) -> bool:
    """By the ids in the steps, which a fork keeps, too. Of a run that is gone or pruned nobody can tell: it counts."""
    level = _started(one for one in kept if one.kind in _CHILDREN)
    seen: set[UUID] = set()
    while level - seen:
        level -= seen
        whole = Run.objects.filter(id__in=level, first_sequence__lte=1).count()
        asked = Event.objects.filter(run__in=level, type=EventType.QUESTION_ASK).exists()
        if whole < len(level) or asked:
            return True
        seen |= level
        level = _started(Step.objects.filter(run__in=level, kind__in=_CHILDREN))
    return False


def _started(steps: Iterable[Step]) -> set[UUID]:
    """The runs that these steps started; one that is not there for a step that does not say which."""
    found: set[UUID] = set()
    for step in steps:
        recorded = [part.get("run") for part in (step.output, step.error) if isinstance(part, dict)]
        text = next((one for one in recorded if one), None)
        found.add(UUID(text) if text else _NO_RUN)
    return found
