"""Around each call of a vendor: its profile as it is now, its slot, its client, and errors without secrets."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connections

from flows.llm.clients import client_of
from flows.llm.profiles import ResolvedProfile, resolve
from flows.llm.slots import hold_slot
from providers.client import ModelClient
from providers.errors import ProviderError, ProviderTimeout
from runs.errors import RunsError
from runs.jobs import current_attempt

MASK = "***"


@dataclass(frozen=True, slots=True)
class Route:
    """Where a call is to go: a profile, what is different in this call, and a time limit once it has its slot."""

    run_id: UUID
    profile_id: str
    override: Mapping[str, Any] | None = None
    timeout_seconds: float | None = None


@asynccontextmanager
async def call_vendor(route: Route) -> AsyncIterator[tuple[ResolvedProfile, ModelClient]]:
    """Inside, the slot of the profile is held. The profile is read anew, so each attempt meets it as it is now.

    Raises what `resolve` and `hold_slot` raise. What is raised inside says whether another attempt may help.
    """
    profile = await asyncio.to_thread(_resolve, route)
    async with AsyncExitStack() as stack:
        if profile.limits.concurrency is not None:
            async with client_of(profile):  # no slot is held while a vendor's SDK is imported
                await stack.enter_async_context(hold_slot(profile.id, route.run_id, current_attempt().step))
            profile = await asyncio.to_thread(_resolve, route)  # it may have been changed meanwhile
        client = await stack.enter_async_context(client_of(profile))
        try:
            yield profile, client
        except Exception as exc:
            forget_secret(exc, profile.endpoint.key())
            if not isinstance(exc, ProviderError | RunsError | DatabaseError | InterfaceError | OSError):
                exc.is_retryable = False  # type: ignore[attr-defined]  # a mistake of code stays one
            raise


@asynccontextmanager
async def within(seconds: float | None) -> AsyncIterator[None]:
    """Ends what is inside after so many seconds. Raises ProviderTimeout."""
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError as exc:
        if limit.expired():
            raise ProviderTimeout(f"The provider did not end its answer within {seconds:g} s.") from exc
        raise


def _resolve(route: Route) -> ResolvedProfile:
    try:
        return resolve(route.profile_id, route.override)
    finally:
        connections.close_all()


def forget_secret(exc: Exception, secret: str) -> None:
    """A vendor may repeat the key that it refuses, and errors are stored and shown."""
    if not secret or secret not in "".join(traceback.format_exception(exc)):
        return
    exc.__cause__ = exc.__context__ = None
    exc.args = tuple(arg.replace(secret, MASK) if isinstance(arg, str) else arg for arg in exc.args)
    if isinstance(exc, ProviderError):
        exc.problem = exc.problem.replace(secret, MASK)
