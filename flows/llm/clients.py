"""Clients of vendors: one for each endpoint and event loop, whose connections are used again by later calls."""

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakKeyDictionary

from flows.llm.profiles import ResolvedProfile
from providers.client import ModelClient, open_client
from providers.endpoint import Endpoint

IDLE_AT_MOST: Final = 16
"""Clients without a call that are kept: profiles are edited, and overrides make endpoints of their own."""


class _Clients:
    """Those of one loop, the least recently used first."""

    def __init__(self) -> None:
        self._open: dict[bytes, ModelClient] = {}
        self._calls: dict[bytes, int] = {}
        self._opening = asyncio.Lock()
        self._closer: AsyncGenerator[None, None] | None = None

    async def enter(self, name: bytes, endpoint: Endpoint) -> ModelClient:
        """The client for `endpoint`; counted as used until `leave`."""
        async with self._opening:
            if self._closer is None:
                self._closer = self._close_with_loop()
                await anext(self._closer)
            if name not in self._open:
                # imports that vendor's SDK, which takes a second: the loop goes on meanwhile
                self._open[name] = await asyncio.to_thread(open_client, endpoint)
        self._open[name] = self._open.pop(name)
        self._calls[name] = self._calls.get(name, 0) + 1
        return self._open[name]

    async def leave(self, name: bytes) -> None:
        self._calls[name] -= 1
        idle = [other for other in self._open if not self._calls.get(other)]
        for other in idle[: max(0, len(idle) - IDLE_AT_MOST)]:
            self._calls.pop(other, None)
            await self._open.pop(other).aclose()

    async def _close_with_loop(self) -> AsyncGenerator[None, None]:
        """An event loop that is shut down ends its async generators: so it ends these connections too."""
        try:
            yield
        finally:
            _of_loops.pop(asyncio.get_running_loop(), None)
            for client in self._open.values():
                await client.aclose()


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Clients] = WeakKeyDictionary()


@asynccontextmanager
async def client_of(profile: ResolvedProfile) -> AsyncIterator[ModelClient]:
    """The client for a profile's endpoint. Raises what opening it raises."""
    loop = asyncio.get_running_loop()
    if loop not in _of_loops:
        _of_loops[loop] = _Clients()
    clients, name = _of_loops[loop], _name(profile.endpoint)
    client = await clients.enter(name, profile.endpoint)
    try:
        yield client
    finally:
        await clients.leave(name)


def _name(endpoint: Endpoint) -> bytes:
    """Tells endpoints apart, their secrets too, without keeping one."""
    told = endpoint.model_dump(exclude={"api_key"}) | {"key": endpoint.key()}
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).digest()
