"""What a signal brings: its type, and its name among several."""

from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from runs import jobs
from runs.jobs import StepContext, job
from runs.models import RunStatus
from runs.testing import advance, drain
from tests.engine.driver import begin
from tests.engine.waiters import consumed, waiter


class Decision(BaseModel):
    ok: bool


def test_a_type_is_given_to_the_job_live_and_on_replay() -> None:
    met: list[Any] = []

    @job("typed")
    async def typed(step: StepContext) -> bool:
        decision = await step.wait_for_signal("decide", type=Decision)
        met.append(decision)
        await step.sleep("nap", timedelta(days=1))
        return bool(decision.ok)

    run = begin(typed)
    jobs.signal(run.id, "decide", {"ok": True})
    drain()
    advance(timedelta(days=1))
    drain()
    assert jobs.get(run.id).output is True
    assert met == [Decision(ok=True)] * 2


def test_a_payload_that_does_not_fit_fails_the_wait_and_is_consumed() -> None:
    run = waiter(type=Decision)
    jobs.signal(run.id, "go", {"ok": "perhaps"})
    drain()
    assert jobs.get(run.id).error["type"] == "InvalidSignal"
    assert consumed()[0][1] == "signal:go#1"
    jobs.retry(run.id)
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING, "another signal may fit"
    jobs.signal(run.id, "go", {"ok": True})
    drain()
    assert jobs.get(run.id).output == [{"ok": True}]


def test_one_of_several_signals_says_which() -> None:
    @job("either")
    async def either(step: StepContext) -> list[Any]:
        found = [await step.wait_for_signal(["yes", "no"]) for _ in range(2)]
        return [[one.name, one.payload] for one in found]

    run = begin(either)
    drain()
    jobs.signal(run.id, "no", 1)
    jobs.signal(run.id, "yes", 2)
    drain()
    assert jobs.get(run.id).output == [["no", 1], ["yes", 2]]
