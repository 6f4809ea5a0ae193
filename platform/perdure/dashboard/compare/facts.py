"""What is compared of two runs: each step's status, time, tokens, and a digest of what it gave."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from perdure.dashboard.run.conversation.calls import calls_in
from perdure.dashboard.run.conversation.entries import Spent
from perdure.dashboard.run.conversation.turns import spent_of
from perdure.dashboard.run.said import said_by
from runs.jobs import readable, redact
from runs.models import Attempt, Run

MOST_STEPS = 10_000
"""Of each run, its first ones."""
_ROWS = 50


@dataclass(frozen=True)
class StepFacts:
    """`gist` is equal for two steps that gave the same; `spent` is what all attempts used together."""

    name: str
    kind: str
    status: str
    attempts: int
    started_at: datetime | None
    finished_at: datetime | None
    spent: Spent
    gist: str


@dataclass(frozen=True)
class RunFacts:
    """One side. `left_out` counts steps behind MOST_STEPS."""

    run: Run
    steps: list[StepFacts]
    spent: Spent
    left_out: int


def read_facts(run: Run) -> RunFacts:
    """Reads each step of a run once, some dozens at a time: outputs are large, and none is kept."""
    used = _usage(run.attempts.order_by("id"))
    rows = run.steps.order_by("id")[:MOST_STEPS]
    steps = [
        StepFacts(
            name=step.name,
            kind=step.kind,
            status=str(step.status),
            attempts=step.attempts,
            started_at=step.started_at,
            finished_at=step.finished_at,
            spent=_total(used.get(step.name, ())),
            gist=gist_of(redact(step.output, step.secrets), step.error),
        )
        for step in rows.iterator(chunk_size=_ROWS)
    ]
    left_out = run.steps.count() - len(steps) if len(steps) == MOST_STEPS else 0
    return RunFacts(run, steps, _total([one for found in used.values() for one in found]), left_out)


def gist_of(output: Any, error: Mapping[str, Any] | None = None) -> str:
    """A digest of what a step gave. Of a model's reply it is its words and calls: ids and counts differ every time."""
    said = said_by("", output) if isinstance(output, dict) else None
    if said is not None:
        calls = [[call.get("name"), call.get("arguments")] for call in calls_in(output)]
        output = {"text": said.text, "calls": calls}
    failed = [error.get("type"), error.get("message")] if error else None
    return sha256(json.dumps([output, failed], sort_keys=True).encode()).hexdigest()


def text_of(output: Any) -> str:
    """What a step gave, as people read it."""
    said = said_by("", output)
    if said is None:
        return "" if output is None else readable(output)
    return "\n".join([said.text, *said.calls]).strip("\n") if said.calls else said.text


def _usage(attempts: Iterable[Attempt]) -> dict[str, list[Spent]]:
    found: dict[str, list[Spent]] = defaultdict(list)
    for attempt in attempts:
        if attempt.usage:
            found[attempt.step_name].append(spent_of(attempt.usage))
    return found


def _total(spent: Sequence[Spent]) -> Spent:
    def add(name: str) -> Any:
        figures = [figure for one in spent if (figure := getattr(one, name)) is not None]
        return sum(figures) if figures else None

    return Spent(
        model=", ".join(dict.fromkeys(one.model for one in spent if one.model)),
        input_tokens=add("input_tokens"),
        output_tokens=add("output_tokens"),
        reasoning_tokens=add("reasoning_tokens"),
        cost=add("cost"),
        is_estimated=any(one.is_estimated for one in spent),
    )
