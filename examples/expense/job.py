"""An expense claim: small ones pass by the rule; larger ones are explained, fit the budget and are approved."""

import math
from datetime import timedelta
from decimal import Decimal
from typing import Any

from examples.expense.schema import LINE, Booking, Claim, Decided
from hitl.errors import QuestionExpired
from hitl.questions import Deny, Outcome, ask
from runs.jobs import StepContext, job

DEADLINE = timedelta(days=7)
REMIND_EVERY = timedelta(days=1)
ESCALATE_AFTER = timedelta(days=2)


@job("expense")
async def expense(step: StepContext, claim: Claim) -> Decided:
    """Add up a claim; above the limit ask what it was for, for more budget where it needs that, and for approval."""
    rows = await step.run("add-up", add_up, claim.items)
    total = rows[-1]["amount"]
    if Decimal(total) <= claim.limit:
        return Decided(approved=True, total=total, by=[], comment="Within the limit.")
    try:
        booking = await _ask_for_booking(step, claim, rows)
    except QuestionExpired:
        return Decided(approved=False, total=total, by=[], comment="Nobody said what it was for.")
    if Decimal(total) > claim.budget:
        raised = await _ask_for_budget(step, claim, rows)
        if not raised.approved:
            return _decided(raised, total, booking)
    return _decided(await _ask_for_approval(step, claim, rows, booking), total, booking)


def add_up(items: list[str]) -> list[dict[str, Any]]:
    """A row `{"what", "amount"}` for each item, and one with their sum."""
    found = [LINE.fullmatch(item.strip()) for item in items]
    rows = [(one["what"].strip(), Decimal(one["amount"])) for one in found if one is not None]
    rows.append(("Total", sum((amount for _, amount in rows), Decimal(0))))
    return [{"what": what, "amount": f"{amount:.2f}"} for what, amount in rows]


async def _ask_for_booking(step: StepContext, claim: Claim, rows: list[dict[str, Any]]) -> Booking:
    """Whoever started it may say it, or the team. Raises QuestionExpired."""
    outcome = await ask(
        step,
        f"What was {rows[-1]['amount']} for {claim.purpose} spent on?",
        name="booking",
        kind="input",
        schema=Booking,
        context=rows,
        starter_may_answer=True,
        deadline=DEADLINE,
        remind_every=REMIND_EVERY,
    )
    booking: Booking = outcome.value
    return booking


async def _ask_for_budget(step: StepContext, claim: Claim, rows: list[dict[str, Any]]) -> Outcome:
    """Approved with the new budget, which covers the claim."""
    total = rows[-1]["amount"]
    enough = math.ceil(Decimal(total))
    amount = {"type": "integer", "title": "New budget", "minimum": enough, "default": enough}
    return await ask(
        step,
        f"Raise the budget from {claim.budget} for {claim.purpose}?",
        name="budget",
        kind="limit",
        schema={"type": "object", "properties": {"amount": amount}, "required": ["amount"]},
        body=f"It costs **{total}**, and the budget is {claim.budget}.",
        context=rows,
        to=claim.managers or claim.approvers,
        starter_may_answer=claim.starter_may_decide,
        deadline=DEADLINE,
        on_timeout=Deny(),
    )


async def _ask_for_approval(step: StepContext, claim: Claim, rows: list[dict[str, Any]], booking: Booking) -> Outcome:
    total = rows[-1]["amount"]
    return await ask(
        step,
        f"Pay {total} for {claim.purpose}?",
        name="approval",
        body=f"**{claim.purpose}** costs {total}, which is above the limit of {claim.limit}.",
        context={"items": rows, "booking": [booking.model_dump()]},
        to=claim.approvers,
        starter_may_answer=claim.starter_may_decide,
        deadline=DEADLINE,
        on_timeout=Deny(),
        remind_every=REMIND_EVERY,
        escalate_to=claim.managers,
        escalate_after=ESCALATE_AFTER if claim.managers else None,
    )


def _decided(outcome: Outcome, total: str, booking: Booking) -> Decided:
    return Decided(
        approved=outcome.approved,
        total=total,
        by=[one["by"] for one in outcome.answers],
        comment="Nobody answered in time." if outcome.timed_out else outcome.comment,
        booking=booking,
    )
