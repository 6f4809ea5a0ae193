"""Followers are woken in rounds: at once while that is cheap, and gathered while a round takes long."""

import asyncio
import time

import pytest

from runs.live.pace import MOST_SECONDS, Pace


class Sleeper:
    """Does what costs `seconds` when it is woken."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.woken_at: list[float] = []
        self.woken = asyncio.Event()

    def wake(self) -> None:
        self.woken_at.append(asyncio.get_running_loop().time())
        self.woken.set()
        asyncio.get_running_loop().call_soon(time.sleep, self.seconds)


async def _woken(sleeper: Sleeper) -> None:
    async with asyncio.timeout(60):
        await sleeper.woken.wait()
    sleeper.woken.clear()


async def test_news_of_one_moment_wakes_each_sleeper_once() -> None:
    pace, one, other = Pace(), Sleeper(), Sleeper()
    for _ in range(10):
        pace.wake([one, other])
    await _woken(one)
    await _woken(other)
    assert (len(one.woken_at), len(other.woken_at)) == (1, 1)


async def test_the_pause_after_a_round_is_as_long_as_the_round_was() -> None:
    pace, slow = Pace(), Sleeper(0.05)
    pace.wake([slow])
    await _woken(slow)
    pace.wake([slow])
    await _woken(slow)
    assert slow.woken_at[1] - slow.woken_at[0] >= 0.09


async def test_no_pause_is_longer_than_a_tenth_of_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Pace asks for it: how long it really was is the machine's."""
    pace, slow, quick = Pace(), Sleeper(0.3), Sleeper()
    loop, pauses = asyncio.get_running_loop(), []
    later = loop.call_later
    monkeypatch.setattr(loop, "call_later", lambda delay, *rest: (pauses.append(delay), later(delay, *rest))[1])
    pace.wake([slow])
    await _woken(slow)
    pace.wake([quick])
    await _woken(quick)
    assert pauses[0] == MOST_SECONDS, "not as long as the round was"


async def test_what_comes_during_a_round_is_told_in_the_next() -> None:
    pace, sleeper = Pace(), Sleeper()
    pace.wake([sleeper])
    await _woken(sleeper)
    pace.wake([sleeper])
    await _woken(sleeper)
    assert len(sleeper.woken_at) == 2
