"""While the lease may have run out another worker may be at these very steps."""

import threading

from runs import jobs
from runs.jobs import StepContext, job
from tests.engine.driver import Driver, begin, types, until


def test_no_step_begins_before_the_lease_is_known_to_be_held_again(driver: Driver) -> None:
    calls: list[str] = []
    held = threading.Event()
    held.set()
    driver.world.holds_lease = held.is_set

    @job("two-steps")
    async def two_steps(step: StepContext) -> None:
        await step.run("first", held.clear)
        await step.run("second", calls.append, "second")

    lost = begin(two_steps)
    driver.claim()
    until(lambda: "step:complete" in types(lost))
    jobs.cancel(lost.id)
    driver.call(driver.executions[0].lose)
    assert driver.outcome(lost).value == "lost"
    assert calls == []

    kept = begin(two_steps)
    held.set()
    driver.claim()
    until(lambda: "step:complete" in types(kept))
    held.set()
    until(lambda: jobs.get(kept.id).has_ended)
    assert calls == ["second"]
