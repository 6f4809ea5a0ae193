"""`embed`: vectors of texts, each batch a recorded step."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from flows.llm.chat import RETRIES, check_name
from flows.llm.other_calls import call_once
from flows.llm.prices import cost_of
from flows.llm.results import EmbedResult
from flows.llm.usage import total
from flows.llm.vendor import Route
from runs.jobs import Bridged, Retry, StepContext

BATCH: Final = 16
"""Texts of one step: vectors are long, and a step records 1 MiB."""


@Bridged
async def embed(
    step: StepContext,
    name: str,
    texts: Sequence[str],
    *,
    profile: str = "default",
    override: Mapping[str, Any] | None = None,
    model: str | None = None,
    retries: Retry | int | None = None,
    timeout: timedelta | None = None,
) -> EmbedResult:
    """A vector for each text, in order; a plain `def` job calls it without `await`.

    The first BATCH texts are step `name`, the next `<name> #2` and so on. Options are those of `chat`. Raises
    StepFailed, InvalidOption.
    """
    check_name(name)
    route = Route(step.run_id, profile, override, timeout.total_seconds() if timeout is not None else None)
    parts = []
    for start in range(0, len(texts), BATCH):
        label = name if start == 0 else f"{name} #{start // BATCH + 1}"
        part = list(texts[start : start + BATCH])
        parts.append(await _record(step.options(retries=retries or RETRIES), label, part, route, model))
    return _joined(parts)


async def _record(step: StepContext, name: str, texts: list[str], route: Route, model: str | None) -> EmbedResult:
    async def attempt() -> EmbedResult:
        answer, wire = await call_once(step, route, model, lambda client: client.embed(texts, model))
        cost = cost_of(answer.model, answer.usage)
        return EmbedResult(vectors=answer.vectors, usage=answer.usage, cost=cost, model=answer.model, provider=wire)

    return await step.run(name, attempt)


def _joined(parts: list[EmbedResult]) -> EmbedResult:
    if not parts:
        return EmbedResult(vectors=[], usage=total([]), model="", provider="")
    costs = [part.cost for part in parts if part.cost is not None]
    return parts[-1].model_copy(
        update={
            "vectors": [vector for part in parts for vector in part.vectors],
            "usage": total(part.usage for part in parts),
            "cost": round(sum(costs), 10) if costs else None,
        }
    )
