"""An expense claim: small ones pass by the rule, larger ones wait until somebody decides."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hitl.questions import Deny, ask
from runs.jobs import StepContext, job

LINE = re.compile(r"(?P<what>[^:]{1,100}):\s*(?P<amount>\d{1,7}(?:\.\d{1,2})?)")


class Claim(BaseModel):
    """What was spent, and who decides about it."""

    model_config = ConfigDict(extra="forbid")

    purpose: str = Field(
        default="Visit to a customer", min_length=1, max_length=100, title="Purpose", description="What it was for."
    )
    items: list[str] = Field(
        default=["Train: 148.50", "Hotel: 210.00"],
        min_length=1,
        max_length=100,
        title="Items",
        description="Each as in 'Train: 148.50'.",
    )
    limit: int = Field(
        default=100, ge=0, le=1_000_000, title="Limit", description="Up to this sum nobody needs to be asked."
    )
    approvers: list[str] = Field(
        default=[],
        max_length=20,
        title="Approvers",
        description="User names, or group:<name>. Empty: the team of the run.",
    )
    starter_may_decide: bool = Field(
        default=True, title="I may decide it myself", description="Switch it off to need somebody else."
    )

    @field_validator("items")
    @classmethod
    def _readable(cls, items: list[str]) -> list[str]:
        for item in items:
            if not LINE.fullmatch(item.strip()):
                raise ValueError(f"{item[:60]!r} is not written as in 'Train: 148.50'")
        return items


class Decided(BaseModel):
    """What became of the claim."""

    approved: bool
    total: str = Field(description="Sum of the items, with two decimals.")
    by: list[str] = Field(description="Who decided; empty when the rule or the deadline did.")
    comment: str


@job("expense")
async def expense(step: StepContext, claim: Claim) -> Decided:
    """Add up a claim and, above the limit, ask for approval; after seven days without an answer it is denied."""
    rows = await step.run("add-up", add_up, claim.items)
    total = rows[-1]["amount"]
    if Decimal(total) <= claim.limit:
        return Decided(approved=True, total=total, by=[], comment="Within the limit.")
    outcome = await ask(
        step,
        f"Pay {total} for {claim.purpose}?",
        name="approval",
        body=f"**{claim.purpose}** costs {total}, which is above the limit of {claim.limit}.",
        context=rows,
        to=claim.approvers,
        starter_may_answer=claim.starter_may_decide,
        deadline=timedelta(days=7),
        on_timeout=Deny(),
    )
    by = [one["by"] for one in outcome.answers]
    comment = "Nobody answered in time." if outcome.timed_out else outcome.comment
    return Decided(approved=outcome.approved, total=total, by=by, comment=comment)


def add_up(items: list[str]) -> list[dict[str, Any]]:
    """A row `{"what", "amount"}` for each item, and one with their sum."""
    found = [LINE.fullmatch(item.strip()) for item in items]
    rows = [(one["what"].strip(), Decimal(one["amount"])) for one in found if one is not None]
    rows.append(("Total", sum((amount for _, amount in rows), Decimal(0))))
    return [{"what": what, "amount": f"{amount:.2f}"} for what, amount in rows]
