"""What `expense` takes, asks for and gives."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

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
    budget: int = Field(
        default=300, ge=0, le=1_000_000, title="Budget", description="Above this sum the budget must be raised first."
    )
    approvers: list[str] = Field(
        default=[],
        max_length=20,
        title="Approvers",
        description="User names, or group:<name>. Empty: the team of the run.",
    )
    managers: list[str] = Field(
        default=[],
        max_length=20,
        title="Managers",
        description="User names, or group:<name>: they may approve too when nobody has for two days.",
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


class Booking(BaseModel):
    """What the accounts need to know."""

    cost_centre: Literal["sales", "engineering", "office"] = Field(title="Cost centre")
    reason: str = Field(min_length=3, max_length=200, title="Reason", description="Who was met, and about what.")
    receipts: bool = Field(default=True, title="There is a receipt for each item")


class Decided(BaseModel):
    """What became of the claim."""

    approved: bool
    total: str = Field(description="Sum of the items, with two decimals.")
    by: list[str] = Field(description="Who decided; empty when the rule or the deadline did.")
    comment: str
    booking: Booking | None = Field(default=None, description="What was asked for a claim above the limit.")
