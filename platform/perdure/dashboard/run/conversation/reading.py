"""A run's conversation, a page of it at a time: some hundred rows are read, however long the run is."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flows.llm.tools import naming
from perdure.dashboard.run.conversation import prompts
from perdure.dashboard.run.conversation.calls import StepsBeside
from perdure.dashboard.run.conversation.entries import Conversation, Talk, Turn
from perdure.dashboard.run.conversation.places import place_of, title_of
from perdure.dashboard.run.conversation.turns import read_turn
from runs.models import Run

TURNS_SHOWN = 30
TURNS_READ_AGAIN = 100
STREAM = "stream"
"""The kind of the steps that are turns."""


@dataclass(frozen=True)
class Row:
    """A step without what it gave."""

    id: int
    name: str
    kind: str


def read_conversation(run: Run, *, before: int | None = None, since: int | None = None) -> Conversation:
    """The newest turns of a run; with `before` those before this step's id, with `since` the first from it on.

    The chat of a turn is told by its step's name; what no chat said, but a streaming step of the job's own, is a talk
    of one turn.
    """
    rows = [Row(*row) for row in run.steps.order_by("id").values_list("id", "name", "kind")]
    streams = [row for row in rows if row.kind == STREAM]
    inside = [row for row in streams if (before is None or row.id < before) and (since is None or row.id >= since)]
    shown = inside[:TURNS_READ_AGAIN] if since is not None else inside[-TURNS_SHOWN:]
    earlier = sum(row.id < shown[0].id for row in streams) if shown else 0
    talks = _talks(run, streams, _read_turns(run, rows, shown))
    opening = prompts.opening(run) if not earlier and since is None else ()
    return Conversation(opening, talks, earlier, shown[0].id if earlier else None)


def _read_turns(run: Run, rows: Sequence[Row], shown: Sequence[Row]) -> list[Turn]:
    keys = {naming.chat_and_turn(row.name) for row in shown}
    beside = [row.id for row in rows if row.kind != STREAM and _key(row.name) in keys]
    names = [row.name for row in shown]
    steps = run.steps.filter(pk__in=[row.id for row in shown]).order_by("id")
    of_calls = StepsBeside(run.steps.filter(pk__in=beside).order_by("id"))
    attempts = _by_step(run.attempts.filter(step_name__in=names).order_by("number"))
    repeated = [name for name, made in attempts.items() if len(made) > 1]
    checkpoints = _by_step(run.checkpoints.filter(step_name__in=repeated).order_by("number")) if repeated else {}
    return [read_turn(step, of_calls, attempts.get(step.name, ()), checkpoints.get(step.name, ())) for step in steps]


def _key(name: str) -> tuple[str, int] | None:
    """The chat and the turn that a step beside its model call belongs to."""
    found = naming.chat_turn_and_number(name)
    return (found[0], found[1]) if found else naming.chat_and_turn_of_plan(name)


def _by_step(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.step_name].append(row)
    return found


def _talks(run: Run, streams: Sequence[Row], turns: Sequence[Turn]) -> tuple[Talk, ...]:
    """Turns of one chat together, talks in the order of what is shown of them first."""
    chats: dict[str, list[Turn]] = defaultdict(list)
    for turn in turns:
        chats[naming.chat_and_turn(turn.step)[0]].append(turn)
    asked = prompts.prompts_of(run, [chat for chat, found in chats.items() if found[0].number == 1])
    before: dict[str, int] = defaultdict(int)
    for row in streams:
        chat = naming.chat_and_turn(row.name)[0]
        before[chat] += bool(chat in chats and row.id < chats[chat][0].id)
    return tuple(
        Talk(chat, title_of(run, chat), place_of(run, chat), asked.get(chat, ()), tuple(found), before[chat])
        for chat, found in chats.items()
    )
