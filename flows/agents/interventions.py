"""People's words to a running flow, from outside: tell, interrupt, look step by step. Each is a durable message."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from flows.agents import naming
from flows.agents.errors import FlowNotWaiting, InterruptsRefused
from flows.agents.execution import steering
from flows.agents.shown import definition_of
from runs import jobs
from runs.errors import RunAlreadyEnded
from runs.jobs import Actor
from runs.models import Run, Signal, SignalKind, State, Step, StepStatus

JOB = naming.JOB
Policy = Literal["next_step", "interrupt"]
Mode = Literal["step", "run"]


@dataclass(frozen=True, slots=True)
class Told:
    """A message to the agents. `iteration` is the one in whose instruction it stood first, None before that.

    `delivery` is `waiting`, `delivered`, or `missed` where the run ended before.
    """

    id: int
    text: str
    policy: Policy
    delivery: Literal["waiting", "delivered", "missed"]
    iteration: int | None
    actor: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Steered:
    """How a run is steered: `waits_before` is the iteration that it waits to be let into, None if it does not."""

    single_step: bool
    waits_before: int | None
    next_step: str
    messages: list[Told]


def tell(run: Run, text: str, policy: Policy | None, *, actor: Actor, idempotency_key: str | None = None) -> Told:
    """Send a message to the agents of a running flow. Without a policy the flow's own holds.

    An interrupt that finds no agent at work is there at the next step, as any message. Raises RunAlreadyEnded,
    InterruptsRefused, UpdateRefused (too many wait), StorageError, IdempotencyConflict.
    """
    _refuse_ended(run)
    flow = definition_of(run)
    allowed: Policy = flow.interventions if flow is not None else "next_step"
    if policy == "interrupt" and allowed != "interrupt":
        raise InterruptsRefused(flow.name if flow is not None else run.job)
    if (policy or allowed) == "interrupt" and _is_listening(run):
        sent = jobs.signal(run.id, steering.INTERRUPT, {"text": text}, idempotency_key=idempotency_key, actor=actor)
        return next(one for one in messages_of(run) if one.id == sent.signal.pk)
    made = jobs.update(run.id, steering.TELL, {"text": text}, idempotency_key=idempotency_key, actor=actor)
    return next(one for one in messages_of(run) if one.id == made.id)


def let_go_on(run: Run, mode: Mode, *, actor: Actor) -> int:
    """Let a run that waits in single-step mode go on: one step, or to the end. The number of the iteration.

    Raises RunAlreadyEnded, FlowNotWaiting.
    """
    _refuse_ended(run)
    waits_before, _ = _wait_of(run)
    if waits_before is None:
        raise FlowNotWaiting(run.id)
    wanted = {"iteration": waits_before, "mode": mode}
    # a second click of the same is the first one again
    key = f"{steering.continue_signal(waits_before)}:{mode}"
    jobs.update(run.id, steering.CONTINUE, wanted, idempotency_key=key, actor=actor)
    return waits_before


def set_single_step(run: Run, on: bool, *, actor: Actor) -> None:
    """Have a run wait before each further step, or no longer. Raises RunAlreadyEnded."""
    _refuse_ended(run)
    jobs.update(run.id, steering.SINGLE_STEP, {"on": on}, actor=actor)


def read_steering(run: Run) -> Steered:
    """A few small queries."""
    waits_before, step = (None, "") if run.has_ended else _wait_of(run)
    return Steered(_is_stepping(run), waits_before, step, messages_of(run))


def messages_of(run: Run) -> list[Told]:
    """All that was told to the agents of a run, in order of arrival."""
    rows = Signal.objects.filter(run=run, name__in=(steering.TELL, steering.INTERRUPT), error__isnull=True).order_by(
        "id"
    )
    state = _state_of(run.id)
    delivered: Sequence[int] = state.get(steering.DELIVERED) or ()
    found, number = [], 0
    for row in rows:
        if row.kind == SignalKind.UPDATE and row.name == steering.TELL:
            iteration = delivered[number] if number < len(delivered) else None
            number += 1
            found.append(_told(run, row, "next_step", iteration))
        elif row.kind == SignalKind.SIGNAL and row.name == steering.INTERRUPT:
            place = naming.place_of(row.consumed_by or "")
            found.append(_told(run, row, "interrupt", place.iteration + 1 if place else None))
    return found


def _told(run: Run, row: Signal, policy: Policy, iteration: int | None) -> Told:
    missed: Literal["missed", "waiting"] = "missed" if run.has_ended else "waiting"
    text = steering.text_of(row.payload)
    delivery = missed if iteration is None else "delivered"
    return Told(row.pk, text, policy, delivery, iteration, row.actor, row.created_at)


def _wait_of(run: Run) -> tuple[int | None, str]:
    """The iteration that waits for somebody to look, and its step."""
    for place in _open_waits(run):
        if place.part == naming.GO_ON:
            return place.iteration, place.step
    return None, ""


def _is_listening(run: Run) -> bool:
    """Whether an agent at work could be interrupted now."""
    return any(place.part == naming.SAID for place in _open_waits(run))


def _open_waits(run: Run) -> list[naming.Place]:
    names = Step.objects.filter(run=run, kind="signal", status=StepStatus.RUNNING).values_list("name", flat=True)
    return [place for name in names if (place := naming.place_of(name)) is not None]


def _is_stepping(run: Run) -> bool:
    stepping = _state_of(run.id).get(steering.STEPPING)
    if isinstance(stepping, dict):
        return bool(stepping.get("on"))
    return isinstance(run.input, dict) and run.input.get("single_step") is True


def _state_of(run_id: UUID) -> dict[str, Any]:
    value = State.objects.filter(run=run_id).values_list("value", flat=True).first()
    return value if isinstance(value, dict) else {}


def _refuse_ended(run: Run) -> None:
    if run.has_ended:
        raise RunAlreadyEnded(run.id, run.status, "steered")
