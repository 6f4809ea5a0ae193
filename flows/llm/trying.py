"""One small call of a profile, to see whether it works: of no run, so its cost is not in the usage."""

import asyncio
from contextlib import aclosing
from dataclasses import asdict, dataclass
from typing import Final

from flows.llm.clients import client_of
from flows.llm.profiles import ResolvedProfile, resolve
from flows.llm.vendor import forget_secret, within
from providers.errors import ProviderError
from providers.messages import Message
from providers.replies import Reply
from providers.requests import ChatRequest
from runs import clock
from runs.errors import RunsError
from runs.jobs import Actor, audit

SECONDS: Final = 15.0
QUESTION: Final = "Answer with one word: ready"
AUDITED: Final = "provider.try"
MAX_TOKENS: Final = 64
_MAX_SAID: Final = 300


@dataclass(frozen=True, slots=True)
class Tried:
    """`error` is the code of what went wrong, empty where the model answered; `said` its words, or what to do."""

    error: str
    said: str
    seconds: float


def try_profile(profile_id: str, actor: Actor) -> Tried:
    """Ask the model from this process, with the secret that is found here; the audit keeps how it went."""
    began_at = clock.monotonic()
    try:
        error, said = "", asyncio.run(_ask(resolve(profile_id)))
    except (ProviderError, RunsError) as exc:
        error, said = exc.code, str(exc)
    tried = Tried(error, said[:_MAX_SAID], round(clock.monotonic() - began_at, 2))
    audit(actor, AUDITED, profile_id, asdict(tried))
    return tried


async def _ask(profile: ResolvedProfile) -> str:
    most = min(profile.limits.max_tokens or MAX_TOKENS, MAX_TOKENS)
    request = ChatRequest(messages=[Message(role="user", content=QUESTION)], max_tokens=most)
    try:
        async with within(SECONDS), client_of(profile) as client, aclosing(client.chat(request)) as stream:
            items = [item async for item in stream]
    except ProviderError as exc:
        forget_secret(exc, profile.endpoint.key())
        raise
    return next((item.message.text for item in items if isinstance(item, Reply)), "")
