"""Jobs that get into trouble in the ways in which real ones do, so that pages can be looked at that show it."""

import asyncio
from typing import Any

from pydantic import BaseModel, Field

from runs.jobs import Retry, StepContext, job

ROWS = 48
WORDS = [
    "The",
    "quarter",
    "went",
    "well.",
    "Orders",
    "grew,",
    "returns",
    "fell,",
    "and",
    "one",
    "region",
    "waits",
    "for",
    "its",
    "figures.",
]


class Import(BaseModel):
    """Which file of which customer is read."""

    customer: str = Field(default="Acme Ltd", title="Customer", max_length=100)
    batch: int = Field(default=1, ge=1, title="Batch")


@job("nightly-import")
async def nightly_import(step: StepContext, request: Import) -> int:
    """Read last night's file of a customer; its host refuses the connection."""
    await step.run("find the file", lambda: f"/in/{request.customer.lower()}/{request.batch}.csv")
    step.progress(1, 3, "reading")
    return await step.run("read the file", _refuse, request)


def _refuse(request: Import) -> int:
    raise ConnectionRefusedError(
        f"files.{request.customer.split()[0].lower()}.example:22 refused batch {request.batch}"
    )


@job("invoice-total")
async def invoice_total(step: StepContext) -> int:
    """Add up an invoice that lacks a column."""
    rows: list[dict[str, Any]] = await step.run("read rows", lambda: [{"amount": "148.50"}, {"sum": "210.00"}])
    return await step.run("add up", lambda: sum(int(float(row["amount"])) for row in rows))


@job("slow-partner", retries=Retry(max_attempts=5, initial=3600, maximum=3600, jitter=0))
async def slow_partner(step: StepContext) -> None:
    """Ask a partner that never answers in time; the next attempt is an hour away."""
    await step.run("ask the partner", _time_out)


def _time_out() -> None:
    raise TimeoutError("The partner did not answer within 30 s.")


@job("long-report")
async def long_report(step: StepContext) -> str:
    """Write a report word by word, for longer than anybody looks."""
    figures = await step.run("collect figures", lambda: {"orders": 1830, "returns": 42, "regions": ["north", "south"]})
    step.state.set({"figures": figures, "written": 0})
    await step.save_artifact("figures.csv", "region,orders\nnorth,1204\nsouth,626\n", media_type="text/csv")
    for number in range(1, 13):
        await step.run(f"check region {number}", lambda: "complete")
    step.progress(12, ROWS, "writing")

    async def write(emit: Any) -> str:
        for number in range(36_000):
            emit(WORDS[number % len(WORDS)] + " ")
            await asyncio.sleep(0.1)
        return "written"

    return str(await step.stream("write the report", write))
