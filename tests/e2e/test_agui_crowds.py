"""Two hundred frontends at once, each with a run of its own, on one server; some of them leave in the middle."""

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx
import pytest

from tests.agui.reading import Screen, parse
from tests.e2e.frontend import run_input
from tests.e2e.test_agui_survives import web_process
from tests.servers.installation import Installation

CLIENTS = 200
LEAVE_EVERY = 10
WORDS = 40
WHOLE = "".join(f"word{number} " for number in range(WORDS))


@dataclass
class Seen:
    leaves: bool
    screen: Screen = field(default_factory=Screen)
    first_after: float = 0.0
    ended_after: float = 0.0


async def have_a_run(client: httpx.AsyncClient, number: int) -> Seen:
    """To its terminal event, or to its first word for one that leaves."""
    seen = Seen(leaves=number % LEAVE_EVERY == 0)
    body = run_input(f"r{number}", "Go on", "tell-words", f"t{number}", input={"words": WORDS, "pause_seconds": 0.05})
    began = time.monotonic()
    async with client.stream("POST", "/ag-ui/run", json=body) as answer:
        assert answer.status_code == 200, await answer.aread()
        block = ""
        async for line in answer.aiter_lines():
            if line:
                block += line + "\n"
                continue
            if found := parse(block):
                seen.screen.take(*found)
                seen.first_after = seen.first_after or time.monotonic() - began
            block = ""
            if seen.leaves and seen.screen.texts:
                return seen
    seen.ended_after = time.monotonic() - began
    return seen


async def have_all(server: Installation) -> list[Seen]:
    limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=0)
    async with httpx.AsyncClient(
        base_url=server.base_url, headers={"Authorization": f"Bearer {server.token}"}, limits=limits, timeout=180,
        trust_env=False,
    ) as client:  # fmt: skip
        return await asyncio.gather(*(have_a_run(client, number) for number in range(CLIENTS)))


def memory_of(pid: int) -> int:
    """Resident, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


@pytest.mark.timeout(400)
def test_two_hundred_frontends_stream_at_once_and_who_leaves_cancels_nothing(
    install: Callable[..., Installation],
) -> None:
    server = install(PERDURE_APPS="tests.e2e.frontend_app", RUNS_CONCURRENCY="200").start()
    assert server.token
    web = web_process(server)
    before = memory_of(web)

    seen = asyncio.run(have_all(server))

    after = memory_of(web)
    firsts, ends = [one.first_after for one in seen], [one.ended_after for one in seen if not one.leaves]
    sys.stdout.write(
        f"first event: median {median(firsts):.2f} s, last {max(firsts):.2f} s; end: median {median(ends):.2f} s, "
        f"last {max(ends):.2f} s; web process: {before} MiB before, {after} MiB after\n"
    )
    for one in seen:
        if not one.leaves:
            assert one.screen.end["type"] == "RUN_FINISHED"
            assert one.screen.texts == [WHOLE]
    server.wait_for(lambda: _ended(server) == CLIENTS, 120, "end of all runs, also of those whose clients left")
    assert after < before + 300


def _ended(server: Installation) -> int:
    found = server.request("GET", "/api/runs/", params={"status": "completed", "limit": CLIENTS})
    return len(found.json()["results"])
