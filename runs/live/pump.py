"""What the open streams share: a beat while nothing happens, and an end when the viewer may not watch any more."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import TypeVar

from runs import clock

T = TypeVar("T")
RECHECK_SECONDS = 3.0


async def pump(
    items: AsyncIterator[T], beat_seconds: float, is_allowed: Callable[[], Awaitable[bool]]
) -> AsyncGenerator[T | None, None]:
    """`items`, and None after each `beat_seconds` without one; ends early once `is_allowed` says no."""
    pending = asyncio.ensure_future(_next(items))
    beat_at = clock.monotonic() + beat_seconds
    check_at = clock.monotonic() + RECHECK_SECONDS
    try:
        while True:
            await asyncio.wait([pending], timeout=max(0.0, min(beat_at, check_at) - clock.monotonic()))
            if clock.monotonic() >= check_at:
                if not await is_allowed():
                    return
                check_at = clock.monotonic() + RECHECK_SECONDS
            if pending.done():
                try:
                    item = pending.result()
                except StopAsyncIteration:
                    return
                yield item
                pending = asyncio.ensure_future(_next(items))
                beat_at = clock.monotonic() + beat_seconds
            elif clock.monotonic() >= beat_at:
                yield None
                beat_at = clock.monotonic() + beat_seconds
    finally:
        await _stop(pending, items)


async def _next(items: AsyncIterator[T]) -> T:
    return await anext(items)


async def _stop(pending: "asyncio.Future[T]", items: AsyncIterator[T]) -> None:
    pending.cancel()
    await asyncio.gather(pending, return_exceptions=True)
    if isinstance(items, AsyncGenerator):
        await items.aclose()
