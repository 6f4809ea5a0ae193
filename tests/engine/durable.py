"""A job with a bit of everything, that knows how often each of its steps was called and what it gave."""

import asyncio
import itertools
from collections import Counter, defaultdict
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group

from runs.errors import SignalTimeout
from runs.jobs import Job, StepContext, job

ROUNDS = 3
STEPS = ["step 0", "step 1", "step 2", "nap", "child", "flaky", "transaction", "last", "signal:go#1@0.1"]


class Durable:
    """Two branches: signals with a step after each, and a sleep, a child and a step that fails while `is_broken`."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.results: defaultdict[str, list[int]] = defaultdict(list)
        self.is_broken = False
        self._numbers = itertools.count(1)

    def call(self, name: str) -> int:
        """A number that no other call gives."""
        self.calls[name] += 1
        if name == "flaky" and self.is_broken:
            raise ValueError("broken")
        self.results[name].append(next(self._numbers))
        return self.results[name][-1]

    def make(self) -> str:
        self.calls["transaction"] += 1
        return Group.objects.create(name="made").name

    def job(self) -> Job:
        @job("durable-child")
        async def durable_child(step: StepContext) -> str:
            await step.sleep("rest", timedelta(hours=2))
            return "grown"

        @job("durable")
        async def durable(step: StepContext) -> list[Any]:
            found = await asyncio.gather(self.listen(step), self.labour(step))
            return [*found, await step.run("last", self.call, "last")]

        return durable

    async def listen(self, step: StepContext) -> list[Any]:
        return [await self.round(step, number) for number in range(ROUNDS)]

    async def round(self, step: StepContext, number: int) -> Any:
        try:
            found = await step.wait_for_signal("go", timeout=timedelta(hours=24))
        except SignalTimeout:
            found = None
        step.state.update(**{f"round {number}": found})
        return [found, await step.run(f"step {number}", self.call, f"step {number}")]

    async def labour(self, step: StepContext) -> list[Any]:
        await step.sleep("nap", timedelta(hours=3))
        grown = await step.child("child", "durable-child")
        flaky = await step.run("flaky", self.call, "flaky")
        return [grown, flaky, await step.transaction("transaction", self.make)]

    def check(self, output: Any, sent: list[int]) -> None:
        """What a completed run must have given."""
        rounds, (grown, flaky, made), last = output
        assert (grown, made) == ("grown", "made")
        assert flaky in self.results["flaky"]
        assert last in self.results["last"]
        taken = [found for found, _ in rounds if found is not None]
        assert taken == sent[: len(taken)]
        assert len(rounds) == ROUNDS
        assert all(result in self.results[f"step {number}"] for number, (_, result) in enumerate(rounds))
