"""A retry whose failed step ends well takes another way than the failure did: what `except` called is not demanded."""

import asyncio
from typing import Any

import pytest

from runs import jobs
from runs.jobs import StepContext, SyncStepContext, job
from runs.maintenance.invariants import find_violations
from runs.models import Run, RunStatus, Step
from runs.testing import claim_for, drain, frozen_worker, temporary_jobs
from tests.engine.driver import begin, types
from tests.engine.test_retry_run import Broken, failed_then_mended


@pytest.fixture
def broken() -> Broken:
    return Broken("charge")


def tentative(run: Run) -> set[str]:
    return set(Step.objects.filter(run=run, is_tentative=True).values_list("name", flat=True))


def register(broken: Broken, after: list[str]) -> jobs.Job:
    """Takes payment; cleans up in `except`. After that ends well, it does `after`, and waits."""

    @job("order")
    async def order(step: StepContext) -> list[str]:
        done = [await step.run("reserve", broken.call, "reserve")]
        try:
            done.append(await step.run("charge", broken.call, "charge"))
        except Exception:
            step.log.error("it did not work")
            await step.run("release", broken.call, "release")
            await step.run("tell", broken.call, "tell")
            raise
        for name in after:
            done.append(await step.run(name, broken.call, name))
        return [*done, str(await step.wait_for_signal("go"))]

    return order


@pytest.mark.parametrize("after", [[], ["ship"], ["ship", "bill", "thank"]])
def test_the_run_goes_on_without_it(broken: Broken, after: list[str]) -> None:
    run = begin(register(broken, after))
    assert failed_then_mended(run, broken).status == RunStatus.WAITING, jobs.get(run.id).error
    assert tentative(run) == {"release", "tell"}
    jobs.signal(run.id, "go", "!")
    drain()  # from the top: it was unloaded
    assert jobs.get(run.id).output == ["reserve", "charge", *after, "!"], jobs.get(run.id).error
    assert broken.calls == ["reserve", "charge", "release", "tell", "charge", *after]
    assert list(find_violations()) == []
    assert {"release", "tell"} <= set(Step.objects.filter(run=run).values_list("name", flat=True)), "it is history"


def test_what_is_asked_for_again_is_not_done_again(broken: Broken) -> None:
    run = begin(register(broken, []))
    drain()
    jobs.retry(run.id)
    drain()
    assert jobs.get(run.id).status == RunStatus.FAILED
    assert broken.calls == ["reserve", "charge", "release", "tell", "charge"]
    assert failed_then_mended(run, broken).status == RunStatus.WAITING


def test_a_way_that_goes_the_same_uses_it(broken: Broken) -> None:
    @job("order")
    async def order(step: StepContext) -> list[str]:
        results = await asyncio.gather(
            *[step.run(name, broken.call, name) for name in ("charge", "pack")], return_exceptions=True
        )
        results.append(await step.run("count", lambda: len(results)))
        if failed := [one for one in results if isinstance(one, Exception)]:
            raise failed[0]
        return [str(one) for one in results]

    run = begin(order)
    assert failed_then_mended(run, broken).output == ["charge", "pack", "2"]
    assert broken.calls.count("pack") == 1


def test_a_worker_that_dies_after_the_retry_changes_nothing(broken: Broken) -> None:
    run = begin(register(broken, ["ship"]))
    drain()
    broken.names = {"ship"}
    jobs.retry(run.id)
    drain()  # fails at another step, past the place of the first clean-up
    assert jobs.get(run.id).status == RunStatus.FAILED
    broken.names.clear()
    jobs.retry(run.id)
    dead = frozen_worker()
    claim_for(dead)
    dead.delete()
    drain()
    jobs.signal(run.id, "go", "!")
    drain()
    assert jobs.get(run.id).output == ["reserve", "charge", "ship", "!"], jobs.get(run.id).error
    assert broken.calls == ["reserve", "charge", "release", "tell", "charge", "ship", "ship"]


def test_a_patch_after_it_sends_the_run_on_the_new_road(broken: Broken) -> None:
    @job("order")
    async def order(step: StepContext) -> bool:
        try:
            await step.run("charge", broken.call, "charge")
        except Exception:
            await step.run("release", broken.call, "release")
            await step.run("tell", broken.call, "tell")
            raise
        return step.patched("new") and await step.run("ship", lambda: True)

    assert failed_then_mended(begin(order), broken).output is True


def test_a_name_of_the_way_out_at_another_place_still_pauses_the_run(broken: Broken) -> None:
    """It is recorded, and a recorded step is neither called again nor taken for another one."""
    run = begin(register(broken, ["ship", "release"]))
    assert failed_then_mended(run, broken).reason == "nondeterminism"
    assert broken.calls.count("release") == 1


def test_code_that_lost_a_step_of_before_the_failure_still_pauses_the_run(broken: Broken) -> None:
    with temporary_jobs():
        run = begin(register(broken, []))
        drain()
    broken.names.clear()

    @job("order")
    async def order(step: StepContext) -> Any:
        return await step.run("charge", broken.call, "charge")

    jobs.retry(run.id)
    drain()
    assert jobs.get(run.id).reason == "nondeterminism"


def test_a_plain_function_too(broken: Broken) -> None:
    @job("order")
    def order(step: SyncStepContext) -> str:
        try:
            return step.run("charge", broken.call, "charge")
        except Exception:
            step.run("release", broken.call, "release")
            raise
        finally:
            step.log.info("over")

    run = begin(order)
    assert failed_then_mended(run, broken).output == "charge"
    assert types(run).count("run:retry") == 1
