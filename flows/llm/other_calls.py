"""Calls of vendors that come in one piece: recorded and counted like model calls, without frames."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from flows.llm.scripted_note import note_scripted
from flows.llm.usage import Tally
from flows.llm.vendor import Route, call_vendor, within
from providers.client import ModelClient
from providers.errors import ProviderError
from providers.replies import Embeddings, Images
from runs.jobs import StepContext

Answer = TypeVar("Answer", Embeddings, Images)


async def call_once(
    step: StepContext, route: Route, model: str | None, ask: Callable[[ModelClient], Awaitable[Answer]]
) -> tuple[Answer, str]:
    """What `ask(client)` gives, and the wire that answered; for step functions."""
    async with call_vendor(route) as (profile, client):
        tally = Tally(profile.endpoint.wire, model or profile.model)
        try:
            async with within(route.timeout_seconds):
                answer = await ask(client)
        except ProviderError as exc:
            if exc.usage is not None:
                tally.tell(exc.usage)
            raise
        tally.tell(answer.usage, answer.model)
    await note_scripted(step, profile.endpoint.wire)
    return answer, profile.endpoint.wire
