"""`step.patched`: new runs take the new road, runs that had come further keep to the old one, on every replay."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from runs import jobs
from runs.errors import StepNameReused, StepOutsideJob
from runs.jobs import StepContext, SyncStepContext, job
from runs.models import Run, RunStatus, Step
from runs.testing import advance, drain, temporary_jobs
from tests.engine.driver import begin, types


def say(word: str) -> str:
    return word


async def old_code(step: StepContext) -> list[str]:
    first = await step.run("first", say, "first")
    go = await step.wait_for_signal("go")
    return [first, go, await step.run("last", say, "old")]


async def new_code(step: StepContext) -> list[str]:
    first = await step.run("first", say, "first")
    checked = [await step.run("check", say, "checked")] if step.patched("check-first") else []
    go = await step.wait_for_signal("go")
    return [first, *checked, go, await step.run("last", say, "new" if step.patched("say-new") else "old")]


def deploy(code: Any) -> jobs.Job:
    return job("shipment")(code)


def waiting_run_of(code: Any) -> Run:
    with temporary_jobs():
        run = begin(deploy(code))
        drain()
    return jobs.get(run.id)


def output_after(run: Run, code: Any) -> Any:
    with temporary_jobs():
        deploy(code)
        jobs.signal(run.id, "go", "go")
        drain()
    found = jobs.get(run.id)
    assert found.status == RunStatus.COMPLETED, found.error
    return found.output


def test_a_new_run_takes_the_new_road_and_keeps_to_it_on_replay() -> None:
    run = waiting_run_of(new_code)
    assert output_after(run, new_code) == ["first", "checked", "go", "new"]
    markers = Step.objects.filter(run=run, kind="patch").order_by("id")
    assert [(row.name, row.output, row.status) for row in markers] == [
        ("patch:check-first", True, "completed"), ("patch:say-new", True, "completed"),
    ]  # fmt: skip
    assert types(run).count("step:complete") == 6


def test_a_run_that_had_passed_keeps_to_the_old_road_and_takes_the_new_one_further_on() -> None:
    run = waiting_run_of(old_code)
    assert output_after(run, new_code) == ["first", "go", "new"]
    assert not Step.objects.filter(run=run, name="patch:check-first").exists()


def test_a_patch_is_retired_by_removing_its_question() -> None:
    async def retired(step: StepContext) -> list[str]:
        first = await step.run("first", say, "first")
        checked = await step.run("check", say, "checked")
        return [first, checked, await step.wait_for_signal("go"), await step.run("last", say, "new")]

    assert output_after(waiting_run_of(new_code), retired) == ["first", "checked", "go", "new"]


def test_each_branch_decides_for_itself_and_again_alike() -> None:
    answers: list[dict[str, list[bool]]] = []

    def code(patched: bool) -> Any:
        async def both(step: StepContext) -> list[str]:
            answered: dict[str, list[bool]] = {}
            answers.append(answered)

            async def branch(letter: str) -> str:
                await step.run(f"{letter}0", say, letter)
                if letter == "b":
                    await step.wait_for_signal("go")
                new = patched and step.patched("longer")
                answered[letter] = [new, patched and step.patched("longer")]
                await step.run(f"{letter}1", say, letter)
                return letter + (await step.run(f"{letter}2", say, "+") if new else "")

            return list(await asyncio.gather(branch("a"), branch("b")))

        return both

    run = waiting_run_of(code(patched=False))
    assert output_after(run, code(patched=True)) == ["a", "b+"]
    assert answers[-1] == {"a": [False, False], "b": [True, True]}
    assert [row.name for row in Step.objects.filter(run=run, kind="patch")] == ["patch:longer@0.2"]


def test_tasks_count_as_having_passed_too() -> None:
    def code(patched: bool) -> Any:
        async def tasks(step: StepContext) -> list[str]:
            if patched and step.patched("before"):
                await step.run("before", say, "before")
            return list(await asyncio.gather(step.run("a", say, "a"), step.wait_for_signal("go")))

        return tasks

    run = waiting_run_of(code(patched=False))
    assert output_after(run, code(patched=True)) == ["a", "go"]
    assert not Step.objects.filter(run=run, name="before").exists()


def test_a_change_of_state_counts_as_having_passed_too() -> None:
    def code(patched: bool) -> Any:
        async def states(step: StepContext) -> Any:
            new = patched and step.patched("another-state")
            step.state.set({"road": "new" if new else "old"})
            await asyncio.gather(*[step.wait_for_signal("go")])
            return step.state.value

        return states

    run = waiting_run_of(code(patched=False))
    assert output_after(run, code(patched=True)) == {"road": "old"}


def test_a_plain_def_job_asks_the_same_way() -> None:
    def code(patched: bool) -> Any:
        def plain(step: SyncStepContext) -> list[str]:
            found = [step.run("first", say, "first")]
            if patched and step.patched("second"):
                found.append(step.run("second", say, "second"))
            found.append(step.wait_for_signal("go"))
            return [*found, "new" if patched and step.patched("end") else "old"]

        return plain

    assert output_after(waiting_run_of(code(False)), code(True)) == ["first", "go", "new"]
    assert output_after(waiting_run_of(code(True)), code(True)) == ["first", "second", "go", "new"]


def test_later_rounds_of_a_loop_take_the_new_road_under_names_of_their_own() -> None:
    def code(patched: bool) -> Any:
        async def rounds(step: StepContext) -> list[str]:
            found = []
            for number in range(2):
                new = patched and step.patched(f"louder-{number}")
                found.append(await step.run(f"word-{number}", say, "WORD" if new else "word"))
                if number == 0:
                    await step.wait_for_signal("go")
            return found

        return rounds

    assert output_after(waiting_run_of(code(False)), code(True)) == ["word", "WORD"]


def test_every_place_of_a_patch_meets_every_place_of_a_wait() -> None:
    """Runs that wait at each place of the old code go on with a patch at each place of the new one."""

    def code(wait_at: int, patch_at: int, patched: bool) -> Any:
        async def places(step: StepContext) -> list[str]:
            found = []
            for place in range(4):
                if patched and place == patch_at and step.patched("new"):
                    found.append(await step.run("new", say, "new"))
                if place == wait_at:
                    await step.wait_for_signal("go")
                found.append(await step.run(f"old-{place}", say, "old"))
            return found

        return places

    pairs = [(wait_at, patch_at) for wait_at in range(4) for patch_at in range(4)]
    with temporary_jobs():
        runs = {pair: begin(job(f"places {pair}")(code(*pair, False))).id for pair in pairs}
        drain()
    for pair in pairs:
        job(f"places {pair}")(code(*pair, True))
        jobs.signal(runs[pair], "go")
    drain()
    for (wait_at, patch_at), run_id in runs.items():
        output = jobs.get(run_id).output
        assert output.count("old") == 4
        assert output[patch_at : patch_at + 1] == (["new"] if patch_at > wait_at else ["old"])


def test_a_fork_keeps_the_markers_before_its_step_only() -> None:
    run = waiting_run_of(new_code)
    assert output_after(run, new_code)[-1] == "new"
    deploy(new_code)
    fork = jobs.fork(run.id, "last")
    assert {row.name for row in Step.objects.filter(run=fork, kind="patch")} == {"patch:check-first", "patch:say-new"}
    early = jobs.fork(run.id, "check")
    assert {row.name for row in Step.objects.filter(run=early, kind="patch")} == {"patch:check-first"}
    drain()
    assert jobs.get(fork.id).output == ["first", "checked", "go", "new"]


@pytest.mark.parametrize("first", ["step", "patch"])
def test_a_marker_and_a_step_do_not_share_a_name(first: str) -> None:
    @job("clash")
    async def clash(step: StepContext) -> None:
        if first == "step":
            await step.run("patch:same", say, "x")
        step.patched("same")
        await step.run("patch:same", say, "x")

    run = begin(clash)
    drain()
    found = jobs.get(run.id)
    assert (found.status, found.error["type"]) == (RunStatus.FAILED, StepNameReused.__name__)  # type: ignore[index]


def test_a_step_function_does_not_ask() -> None:
    @job("inside")
    async def inside(step: StepContext) -> None:
        await step.run("ask", lambda: step.patched("inside"))

    run = begin(inside)
    drain()
    assert StepOutsideJob.__name__ in str(jobs.get(run.id).error)


def test_a_marker_outlives_waiting_and_clocks() -> None:
    seen: list[bool] = []

    @job("sleeper")
    async def sleeper(step: StepContext) -> None:
        seen.append(step.patched("early"))
        for number in range(3):
            await step.sleep(f"night-{number}", timedelta(hours=8))

    run = begin(sleeper)
    for _ in range(4):
        drain()
        advance(timedelta(hours=9))
    assert jobs.get(run.id).status == RunStatus.COMPLETED
    assert seen == [True] * 4
    assert types(run).count("step:complete") == 4
