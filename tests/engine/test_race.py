"""`step.race`: the first branch wins, the same one on every replay, and a loser consumes nothing."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from runs import jobs
from runs.jobs import StepContext, SyncStepContext, job
from runs.models import RunStatus, Signal, Step
from runs.testing import advance, drain
from tests.engine.driver import Driver, begin, types, until
from tests.engine.test_replay import crash_when, forever


def statuses() -> dict[str, str]:
    return dict(Step.objects.values_list("name", "status"))


def test_the_first_branch_wins_also_on_replay_and_is_not_called_again() -> None:
    calls: list[str] = []

    @job("racing")
    async def racing(step: StepContext) -> list[Any]:
        async def call(name: str, seconds: float) -> str:
            calls.append(name)
            await asyncio.sleep(seconds)
            return name

        won = await step.race(
            "race",
            {"slow": lambda s: s.run("slow", call, "slow", 30), "fast": lambda s: s.run("fast", call, "fast", 0)},
        )
        await step.sleep("nap", timedelta(days=1))
        return [won.name, won.value]

    run = begin(racing)
    drain()
    advance(timedelta(days=1))
    drain()
    assert jobs.get(run.id).output == ["fast", "fast"]
    assert sorted(calls) == ["fast", "slow"]
    assert statuses() == {"fast": "completed", "slow": "cancelled", "race": "completed", "nap": "completed"}


def test_a_signal_that_wins_over_a_sleep_is_the_only_thing_consumed() -> None:
    @job("signal-or-time")
    async def signal_or_time(step: StepContext) -> list[Any]:
        won = await step.race(
            "race",
            {"go": lambda s: s.wait_for_signal("go"), "late": lambda s: s.sleep("late", timedelta(days=3))},
        )
        return [won.name, won.value]

    runs = [begin(signal_or_time) for _ in range(2)]
    drain()
    assert {jobs.get(run.id).status for run in runs} == {RunStatus.WAITING}
    jobs.signal(runs[0].id, "go", 7)
    drain()
    assert jobs.get(runs[0].id).output == ["go", 7]
    advance(timedelta(days=3))
    drain()
    assert jobs.get(runs[1].id).output == ["late", None]


def test_a_loser_that_took_a_signal_in_the_same_moment_gives_it_back() -> None:
    @job("two-signals")
    async def two_signals(step: StepContext) -> list[Any]:
        won = await step.race("race", {"a": lambda s: s.wait_for_signal("a"), "b": lambda s: s.wait_for_signal("b")})
        other = "b" if won.name == "a" else "a"
        return [won.name, won.value, await step.wait_for_signal(other, name="after")]

    run = begin(two_signals)
    drain()
    jobs.signal(run.id, "a", 1)
    jobs.signal(run.id, "b", 2)
    drain()
    ended = jobs.get(run.id)
    assert ended.status == RunStatus.COMPLETED, ended.error
    assert ended.output in (["a", 1, 2], ["b", 2, 1])
    assert set(Signal.objects.values_list("consumed_by", flat=True)) & {"after"}
    assert not Signal.objects.filter(consumed_by=None).exists()


@pytest.mark.parametrize("at", ["race", "end"])
def test_a_loser_gives_its_signal_back_also_after_a_crash(driver: Driver, at: str) -> None:
    """Both waits are recorded; the worker dies before the race is, or right after it."""
    stopped: list[int] = []

    @job("crashes-in-race")
    async def crashes(step: StepContext) -> list[Any]:
        async def branch(one: StepContext, name: str) -> Any:
            value = await one.wait_for_signal(name)
            if at == "race" and not stopped:
                await met.wait()
            return value

        met = asyncio.Barrier(3)
        won = await step.race("race", {"a": lambda s: branch(s, "a"), "b": lambda s: branch(s, "b")})
        if at == "end" and not stopped:
            stopped.append(1)
            await step.run("stop", forever)
        other = "b" if won.name == "a" else "a"
        found = [won.name, await step.wait_for_signal(other, name="after")]
        return [*found, await step.run("stop", lambda: 1)] if at == "race" else found

    @job("crashes-at-end")
    async def crashes_at_end(step: StepContext) -> list[Any]:
        won = await step.race("race", {"a": lambda s: s.wait_for_signal("a"), "b": lambda s: s.wait_for_signal("b")})

        async def stop() -> None:
            if not stopped:
                stopped.append(1)
                await forever()

        await step.run("stop", stop)
        other = "b" if won.name == "a" else "a"
        return [won.name, await step.wait_for_signal(other, name="after")]

    run = begin(crashes if at == "race" else crashes_at_end)
    for name in "ab":
        jobs.signal(run.id, name, name)
    if at == "race":
        crash_when(driver, run, lambda: Step.objects.filter(kind="signal", status="completed").count() == 2)
        stopped.append(1)
    else:
        crash_when(driver, run, lambda: stopped)
    drain()
    ended = jobs.get(run.id)
    assert ended.status == RunStatus.COMPLETED, ended.error
    assert sorted(ended.output[:2]) == ["a", "b"]
    assert Signal.objects.filter(consumed_by="after").count() == 1
    assert statuses()["race"] == "completed"


def test_what_the_winner_raises_is_raised_and_a_retry_races_again() -> None:
    broken = [True]

    @job("fails-in-race")
    async def fails(step: StepContext) -> str:
        def work() -> str:
            if broken:
                raise ZeroDivisionError("no")
            return "fine"

        won = await step.race(
            "race", {"work": lambda s: s.run("work", work), "wait": lambda s: s.wait_for_signal("never")}
        )
        return str(won.value)

    run = begin(fails)
    drain()
    assert jobs.get(run.id).status == RunStatus.FAILED
    for again in (True, False):
        if not again:
            broken.clear()
        jobs.retry(run.id)
        drain()
        assert Step.objects.get(run=run, name="race").status == ("failed" if again else "completed")
    ended = jobs.get(run.id)
    assert (ended.status, ended.output) == (RunStatus.COMPLETED, "fine"), ended.error


def test_a_race_in_a_race_and_in_a_loop_replays() -> None:
    @job("nested-race")
    async def nested(step: StepContext) -> list[str]:
        async def inner(one: StepContext, number: int) -> str:
            won = await one.race(
                f"inner {number}",
                {"x": lambda s: s.run(f"x {number}", lambda: 1), "y": lambda s: s.wait_for_signal(f"y {number}")},
            )
            return won.name

        found = []
        for number in range(2):
            won = await step.race(
                f"outer {number}",
                {
                    "inner": lambda s, number=number: inner(s, number),
                    "wait": lambda s, number=number: s.wait_for_signal(f"w {number}"),
                },
            )
            found += [won.name, str(won.value)]
            await step.sleep(f"nap {number}", timedelta(days=1))
        return found

    run = begin(nested)
    for _ in range(3):
        drain()
        advance(timedelta(days=1))
    ended = jobs.get(run.id)
    assert (ended.status, ended.output) == (RunStatus.COMPLETED, ["inner", "x"] * 2), ended.error


def test_a_drain_in_the_middle_of_a_race_records_no_failure(driver: Driver, settings: Any) -> None:
    settings.RUNS_UNLOAD_AFTER = 60

    @job("drained")
    async def drained(step: StepContext) -> str:
        won = await step.race("race", {"a": lambda s: s.wait_for_signal("a"), "b": lambda s: s.wait_for_signal("b")})
        return won.name

    run = begin(drained)
    driver.claim()
    until(lambda: Step.objects.count() == 2)
    driver.call(driver.executions[0].drain)
    assert driver.outcome(run).value == "released"
    assert set(statuses().values()) == {"running"}
    jobs.signal(run.id, "b", 1)
    settings.RUNS_UNLOAD_AFTER = 0.05
    drain()
    assert jobs.get(run.id).output == "b"
    assert "step:fail" not in types(run)


def test_a_race_without_branches_is_refused() -> None:
    @job("nobody")
    async def nobody(step: StepContext) -> None:
        await step.race("race", {})

    run = begin(nobody)
    drain()
    assert jobs.get(run.id).error["type"] == "InvalidOption"


def test_a_plain_function_races_too() -> None:
    @job("plain-race")
    def plain(step: SyncStepContext) -> str:
        won = step.race(
            "race", {"a": lambda s: s.wait_for_signal("a"), "nap": lambda s: s.sleep("nap", timedelta(days=1))}
        )
        return str(won.name)

    run = begin(plain)
    drain()
    advance(timedelta(days=1))
    drain()
    assert jobs.get(run.id).output == "nap", jobs.get(run.id).error
