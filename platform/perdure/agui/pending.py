"""What a turn waits for: the interrupts that it was left with, read from its run's log as its clients were told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ag_ui.core import AssistantMessage, Interrupt

from hitl.models import Question, QuestionStatus
from perdure.agui.adapter import Adapter
from perdure.agui.interrupts import load_interrupts
from perdure.agui.models import Turn
from perdure.agui.turns import read_boundaries
from runs.events.log import read_events
from runs.events.types import RunEvent
from runs.models import Run


@dataclass(frozen=True)
class Pending:
    """The interrupts, and by their ids the calls (name and arguments) that they are about."""

    interrupts: list[Interrupt] = field(default_factory=list)
    calls: dict[str, Any] = field(default_factory=dict)


def is_interrupted(turn: Turn) -> bool:
    """Whether it goes on only when somebody answers."""
    log = read_boundaries(turn)
    return bool(log.passed) and not log.has_gone_on


def read_pending(turn: Turn) -> Pending:
    """Nothing for a turn that works or has ended."""
    run = Run.objects.filter(agui_turn=turn).first()
    if run is None or run.has_ended or not is_interrupted(turn):
        return Pending()
    adapter = Adapter(run.id)
    for event in _log(run):
        adapter.feed(event)
    asked = adapter.open_questions
    is_open = Question.objects.filter(id__in=[one for one, _ in asked], status=QuestionStatus.OPEN).values_list(
        "id", flat=True
    )
    still = {str(one) for one in is_open}
    calls = {
        call.id: call.function
        for one in adapter.messages if isinstance(one, AssistantMessage) for call in one.tool_calls or []
    }  # fmt: skip
    return Pending(load_interrupts(one for one in asked if one[0] in still), calls)


def by_call_id(interrupts: Sequence[Interrupt], run_id: str) -> dict[str, Interrupt]:
    """By the ids that the older front knows them by: of the call, else `wait_<runId>` for the first and
    `wait_<interrupt id>` for others, as `perdure.agui.compat` tells it."""
    found: dict[str, Interrupt] = {}
    asked_alone = 0
    for one in interrupts:
        asked_alone += one.tool_call_id is None
        found[one.tool_call_id or f"wait_{run_id if asked_alone == 1 else one.id}"] = one
    return found


def _log(run: Run) -> Iterator[RunEvent]:
    after = 0
    while events := read_events(run.id, after):
        yield from events
        after = events[-1].sequence or after
