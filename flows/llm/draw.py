"""`draw`: images of a prompt, a recorded step."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flows.llm.chat import RETRIES, check_name
from flows.llm.errors import ImageTooLarge
from flows.llm.other_calls import call_once
from flows.llm.partial import ROOM
from flows.llm.prices import cost_of
from flows.llm.results import DrawResult
from flows.llm.vendor import Route
from runs.conf import get_settings
from runs.jobs import Bridged, Retry, StepContext


@Bridged
async def draw(
    step: StepContext,
    name: str,
    prompt: str,
    *,
    profile: str = "default",
    override: Mapping[str, Any] | None = None,
    model: str | None = None,
    size: str | None = None,
    retries: Retry | int | None = None,
    timeout: timedelta | None = None,
) -> DrawResult:
    """The images of a prompt, in step `name`; a plain `def` job calls it without `await`.

    `size` is as the vendor writes it, such as 1024x1024. Other options are those of `chat`. Raises StepFailed (with
    ImageTooLarge for images that no step may record), InvalidOption.
    """
    check_name(name)
    route = Route(step.run_id, profile, override, timeout.total_seconds() if timeout is not None else None)

    async def attempt() -> DrawResult:
        answer, wire = await call_once(step, route, model, lambda client: client.image(prompt, model, size))
        limit = get_settings().max_payload_bytes
        if sum(len(image.data or "") for image in answer.images) > limit - ROOM:
            raise ImageTooLarge(name, limit)
        cost = cost_of(answer.model, answer.usage)
        return DrawResult(images=answer.images, usage=answer.usage, cost=cost, model=answer.model, provider=wire)

    return await step.options(retries=retries or RETRIES).run(name, attempt)
