"""Jobs that only the tests of the pages start: their inputs have every kind of field."""

import asyncio
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from runs.jobs import StepContext, job


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Address(BaseModel):
    """Where it goes."""

    street: str
    number: int = Field(ge=1)
    note: str | None = None


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str = Field(description="What to call it.", max_length=20)
    body: str = Field(default="", json_schema_extra={"format": "textarea"})
    count: int = Field(ge=1, le=10)
    weight: float = 1.5
    urgent: bool = False
    insured: bool | None = None
    size: Size = Size.SMALL
    rating: Literal[1, 2, 3] | None = None
    tags: list[str] = []
    numbers: list[int] = []
    sizes: list[Size] = []
    day: date | None = None
    at: datetime | None = None
    password: SecretStr | None = None
    address: Address
    extra: dict[str, Any] | None = None

    @field_validator("title")
    @classmethod
    def _no_shouting(cls, value: str) -> str:
        if value.isupper():
            raise ValueError("capitals only; write it normally")
        return value


@job("page-order")
async def page_order(step: StepContext, order: Order) -> dict[str, Any]:
    """Take an order."""
    return order.model_dump(mode="json")


@job("page-nothing")
async def page_nothing(step: StepContext) -> str:
    """Take no input."""
    return "done"


@job("page-list")
async def page_list(step: StepContext, numbers: list[int]) -> int:
    """Take a list, for which there is no form."""
    return sum(numbers)


@job("page-words")
async def page_words(step: StepContext, words: list[str]) -> int:
    """Take words."""
    return len(words)


@job("page-asks-part")
async def page_asks_part(step: StepContext) -> str:
    """Wait for one signal."""
    return str(await step.wait_for_signal("part"))


@job("page-asks")
async def page_asks(step: StepContext) -> list[Any]:
    """Wait for signals and for another run, with a state."""
    step.state.set({"asked": ["olga"]})
    approved, part = await asyncio.gather(
        step.wait_for_signal(["approve", "refuse"], name="ok?", timeout=timedelta(days=7)),
        step.child("part", "page-asks-part"),
    )
    return [approved.name, approved.payload, part]
