"""Jobs that ask; the tests of questions start them."""

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, Field

from hitl.questions import Approve, Deny, Value, ask
from runs.jobs import StepContext, SyncStepContext, job


class Budget(BaseModel):
    amount: int = Field(ge=1, le=500, title="Amount")
    reason: str = Field(default="", max_length=40)


@job("ask-approval")
async def ask_approval(step: StepContext, options: dict[str, Any]) -> dict[str, Any]:
    """Ask whether to merge; `options` go to `ask`."""
    before = await step.run("before", lambda: "prepared")
    outcome = await ask(step, "merge?", body="**Merge** it?", **options)
    after = await step.run("after", lambda: outcome.decision)
    return {"before": before, "after": after, "by": [one["by"] for one in outcome.answers], "value": outcome.value}


@job("middle-of-family")
async def middle_of_family(step: StepContext) -> dict[str, Any]:
    """Let a child ask."""
    return dict(await step.child("approval", "ask-approval", {}))


@job("top-of-family")
async def top_of_family(step: StepContext) -> str:
    """Have a descendant ask, and go on with what was decided there."""
    before = await step.run("before", lambda: "prepared")
    decided = await step.child("middle", "middle-of-family", None)
    return await step.run("after", lambda: f"{decided['after']} after {before}")


@job("ask-budget")
async def ask_budget(step: StepContext) -> dict[str, Any]:
    """Ask for a typed value."""
    outcome = await ask(step, "how much?", kind="input", schema=Budget)
    assert isinstance(outcome.value, Budget)
    return outcome.value.model_dump()


@job("ask-with-deadline")
async def ask_with_deadline(step: StepContext, ending: str) -> dict[str, Any]:
    """Ask with seven days' time."""
    endings: dict[str, Any] = {"deny": Deny(), "approve": Approve(), "fail": None, "value": Value(7)}
    kind, choices = ("choice", [3, 7]) if ending == "value" else ("approval", [])
    outcome = await ask(
        step, "in time?", kind=kind, choices=choices, deadline=timedelta(days=7), on_timeout=endings[ending]
    )
    return {"decision": outcome.decision, "value": outcome.value, "timed_out": outcome.timed_out}


class Times(BaseModel):
    """In hours; 0: not at all."""

    deadline: float = 0
    remind_every: float = 0
    escalate_after: float = 0
    escalate_to: list[str] = []
    to: list[str] = []


@job("ask-with-timers")
async def ask_with_timers(step: StepContext, times: Times) -> str:
    """Ask, remind and escalate; a missed deadline denies."""

    def hours(count: float) -> timedelta | None:
        return timedelta(hours=count) if count else None

    outcome = await ask(
        step,
        "who will?",
        to=times.to,
        deadline=hours(times.deadline),
        on_timeout=Deny() if times.deadline else None,
        remind_every=hours(times.remind_every),
        escalate_to=times.escalate_to,
        escalate_after=hours(times.escalate_after),
    )
    return f"{outcome.decision} by {', '.join(one['by'] for one in outcome.answers)}"


@job("ask-in-a-thread")
def ask_in_a_thread(step: SyncStepContext, options: dict[str, Any]) -> dict[str, Any]:
    """A plain function that asks between two steps of its own."""
    before = step.run("before", lambda: "prepared")
    outcome = ask(step, "merge?", deadline=timedelta(days=7), **options)
    after = step.run("after", lambda: f"{outcome.decision} after {before}")
    return {"after": after, "comment": outcome.comment}
