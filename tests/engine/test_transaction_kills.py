"""A transactional step whose worker dies around its commit: the row exists once.

Real processes are killed in tests/worker/test_transaction_kills.py.
"""

from typing import Any

import pytest

from runs import jobs
from runs.engine import transactional
from runs.jobs import StepContext, job
from runs.testing import drain
from tests.engine.driver import Driver, begin, types
from tests.engine.written import groups, make


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_around_the_commit_leaves_the_row_once(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """The process ends between the function and its commit, or between the commit and what comes of it."""
    real = transactional._once
    write_last = transactional._write_last
    died: list[int] = []

    def die_before(*args: Any) -> None:
        if died:
            return write_last(*args)
        died.append(1)
        raise transactional.Suspended  # as the end of the process: nothing is committed, nothing is told

    def die_after(*args: Any) -> Any:
        value = real(*args)
        if not died:
            died.append(1)
            raise transactional.Suspended
        return value

    monkeypatch.setattr(transactional, "_write_last" if when == "before" else "_once",
                        die_before if when == "before" else die_after)  # fmt: skip

    @job("dies")
    async def dies(step: StepContext) -> str:
        name = await step.transaction("make", make)
        return await step.run("after", lambda: name)

    run = begin(dies)
    driver.claim()
    driver.outcome(run)
    driver.kill()
    assert groups() == ([] if when == "before" else ["made"])
    drain()
    assert (jobs.get(run.id).output, groups()) == ("made", ["made"])
    assert types(run).count("step:complete") == 2
