"""Workers that die around a child: it is started once and its output taken once."""

from typing import Any
from uuid import UUID

import pytest

from runs import jobs
from runs.engine import children
from runs.models import Run, Step
from runs.testing import drain
from tests.engine.driver import Driver, begin, types, until
from tests.engine.family import child_job, only_child, parent_job


@pytest.mark.parametrize("before", [True, False], ids=["before it is there", "after it is there"])
def test_a_crash_around_the_start_of_a_child_starts_it_once(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    run = begin(parent_job(child_job()))
    start, met = children.family.start_child, []

    def crash(*args: Any) -> None:
        if not before:
            start(*args)
        met.append(args)
        until(lambda: driver.executions[0].sealed)

    monkeypatch.setattr(children.family, "start_child", crash)
    driver.claim()
    until(lambda: met)
    assert Run.objects.filter(parent=run).count() == (0 if before else 1)
    recorded = Step.objects.get().output["run"]
    driver.kill()
    monkeypatch.setattr(children.family, "start_child", start)
    drain()
    assert only_child().id == UUID(recorded)
    jobs.signal(only_child().id, "finish", 1)
    drain()
    assert jobs.get(run.id).output == 7
    assert types(run).count("child:start") == 1


def test_a_parent_that_died_while_it_waited_takes_the_output_once(driver: Driver, settings: Any) -> None:
    settings.RUNS_UNLOAD_AFTER = 60
    run = begin(parent_job(child_job()))
    driver.claim()
    child = until(lambda: Run.objects.filter(parent=run).first())
    until(lambda: driver.executions[0]._waiting.load.parked)
    driver.kill()
    settings.RUNS_UNLOAD_AFTER = 0.05
    jobs.signal(child.id, "finish", 2)
    drain()
    assert jobs.get(run.id).output == 14
    assert types(run).count("child:end") == 1
