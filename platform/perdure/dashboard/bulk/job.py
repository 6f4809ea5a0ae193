"""The job that changes many runs: what people do to them at once lasts as every other run does."""

from itertools import count
from uuid import UUID

from perdure.dashboard.bulk import choosing
from perdure.dashboard.bulk.acting import act, person_of
from perdure.dashboard.bulk.order import BulkOrder, BulkResult, Refusal
from runs.jobs import Retry, StepContext, job

AT_ONCE = 25
"""Runs that one step changes: each in a transaction of its own, and few enough that a pause or a cancel comes soon."""

REFUSALS_KEPT = 200


@job("bulk-change", retries=Retry(max_attempts=3))
async def bulk_change(step: StepContext, order: BulkOrder) -> BulkResult:
    """Cancel, retry or prune many runs. Started from the list of runs; it may do what its owner may."""
    total = await step.run("count", _count, step.run_id, order)
    result, behind = BulkResult(action=order.action), None
    for part in count(1):
        chosen = [UUID(one) for one in await step.run(f"choose-{part}", _choose, step.run_id, order, behind)]
        if not chosen:
            return result
        for first in range(0, len(chosen), AT_ONCE):
            some = chosen[first : first + AT_ONCE]
            refused = await step.run(f"{order.action}-{part}-{first // AT_ONCE + 1}", _act, step.run_id, order, some)
            _add(result, len(some), [Refusal.model_validate(one) for one in refused])
            step.progress(result.changed + result.refused, total, _say(result))
        behind = chosen[-1]
    raise AssertionError("count() has no end")


def _count(run_id: UUID, order: BulkOrder) -> int | None:
    person = person_of(run_id)
    return None if person is None else choosing.count(person, order)


def _choose(run_id: UUID, order: BulkOrder, behind: UUID | None) -> list[str]:
    person = person_of(run_id)
    return [] if person is None else [str(one) for one in choosing.choose(person, order, behind)]


def _act(run_id: UUID, order: BulkOrder, ids: list[UUID]) -> list[dict[str, str]]:
    return [refusal.model_dump(mode="json") for refusal in act(run_id, order, ids)]


def _add(result: BulkResult, asked: int, refused: list[Refusal]) -> None:
    result.changed += asked - len(refused)
    result.refused += len(refused)
    result.refusals += refused[: REFUSALS_KEPT - len(result.refusals)]


def _say(result: BulkResult) -> str:
    refused = f", {result.refused:,} refused" if result.refused else ""
    return f"{result.action.done} {result.changed:,} runs{refused}"
