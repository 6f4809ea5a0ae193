"""Reading turns from the rows of a run. Pure: it gets rows, and asks no database."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flows.llm.tools import naming
from perdure.dashboard.run.conversation.calls import StepsBeside, read_calls
from perdure.dashboard.run.conversation.entries import Discarded, Spent, Turn
from perdure.dashboard.run.said import said_by
from runs.jobs import readable, redact
from runs.models import Attempt, AttemptOutcome, Checkpoint, Step, StepStatus

_DISCARDED = (AttemptOutcome.FAILED, AttemptOutcome.LOST, AttemptOutcome.CANCELLED)


def read_turn(
    step: Step,
    beside: StepsBeside,
    attempts: Sequence[Attempt] = (),
    checkpoints: Sequence[Checkpoint] = (),
) -> Turn:
    """`step` streams; `beside` holds the steps of its calls. Attempts and checkpoints are its own, in order."""
    output = redact(step.output, step.secrets)
    said = said_by(step.name, output)
    kept = attempts[-1] if attempts else None
    return Turn(
        id=step.pk or 0,
        step=step.name,
        number=naming.chat_and_turn(step.name)[1],
        status=str(step.status),
        attempt=step.attempts,
        text=said.text if said else "" if output is None else readable(output),
        reasoning=said.reasoning if said else "",
        source=said.source if said else "",
        problem=_problem(step.error),
        calls=tuple(read_calls(step.name, output, beside)),
        discarded=tuple(_discarded(step, attempts, checkpoints)),
        spent=spent_of(kept.usage if kept else None),
        started_at=kept.started_at if kept else step.started_at,
        finished_at=step.finished_at,
    )


def spent_of(usage: Mapping[str, Any] | None) -> Spent:
    """What an attempt's usage says; figures that are none are left out."""
    usage = usage or {}

    def count(name: str) -> int | None:
        value = usage.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    cost = usage.get("cost")
    return Spent(
        model=str(usage.get("model") or ""),
        input_tokens=count("input_tokens"),
        output_tokens=count("output_tokens"),
        reasoning_tokens=count("reasoning_tokens"),
        cost=float(cost) if isinstance(cost, int | float) and not isinstance(cost, bool) else None,
        is_estimated=usage.get("counted_by") == "estimate",
    )


def _discarded(step: Step, attempts: Sequence[Attempt], checkpoints: Sequence[Checkpoint]) -> Iterable[Discarded]:
    """All attempts that ended without the answer; the last one of a step that failed stands for the step itself."""
    counts = attempts[-1].number if attempts else 0
    for attempt in attempts:
        is_last = attempt.number == counts
        if attempt.outcome == AttemptOutcome.COMPLETED or (is_last and step.status != StepStatus.RETRYING):
            continue
        if attempt.outcome in _DISCARDED or not is_last:
            yield Discarded(
                attempt=attempt.number,
                outcome=str(attempt.outcome),
                problem=_problem(attempt.error) or _why(str(attempt.outcome)),
                text=_partial(attempt.number, checkpoints),
                spent=spent_of(attempt.usage),
                started_at=attempt.started_at,
                ended_at=attempt.ended_at,
            )


def _why(outcome: str) -> str:
    return "Its worker died." if outcome in ("lost", "open") else "It was cancelled."


def _partial(attempt: int, checkpoints: Sequence[Checkpoint]) -> str:
    """What the attempt had said when it was last kept, or the whole answer that did not fit."""
    for checkpoint in reversed(checkpoints):
        state = redact(checkpoint.state, checkpoint.secrets)
        if checkpoint.attempt == attempt and isinstance(state, dict):
            rejected = state.get("rejected")
            text = rejected.get("text") if isinstance(rejected, dict) else state.get("text")
            return text if isinstance(text, str) else ""
    return ""


def _problem(error: Mapping[str, Any] | None) -> str:
    return f"{error.get('type')}: {error.get('message')}" if error else ""
