"""The one watcher of a process ends when nobody needs it, and not before."""

import asyncio
import threading
from typing import Any

import pytest

from runs.live import watcher
from runs.live.watcher import Watcher

pytestmark = pytest.mark.django_db(transaction=True)


async def test_reads_that_wait_for_a_thread_keep_their_watcher(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sockets that come at once sign in by such reads, before any of them follows a run."""
    monkeypatch.setattr(watcher, "LINGER_SECONDS", 0.0)
    monkeypatch.setattr(watcher, "QUERY_SECONDS", 0.01)
    asked: list[Any] = []
    is_needed = Watcher._is_needed
    monkeypatch.setattr(Watcher, "_is_needed", lambda self: asked.append(is_needed(self)) or asked[-1])
    gate, threads = threading.Event(), 4
    own = Watcher()
    reads = [asyncio.create_task(own.read(gate.wait, 60)) for _ in range(3 * threads)]
    async with asyncio.timeout(60):
        while len(asked) < 4 and not own.closed:
            await asyncio.sleep(0)
        if own.closed:
            await asyncio.wait(reads, return_when=asyncio.FIRST_COMPLETED)
    gate.set()
    assert await asyncio.gather(*reads, return_exceptions=True) == [True] * len(reads)
    await own._task
    assert own.closed
