"""A job that counts by updates, and what its tests look at."""

from typing import Any

from pydantic import BaseModel, SecretStr

from runs import jobs
from runs.engine.watch import fetch_leases
from runs.jobs import Job, RunView, StepContext, job
from runs.models import Run, RunStatus, Signal, State
from tests.engine.driver import Driver, events


class Login(BaseModel):
    user: str
    password: SecretStr


class Amount(BaseModel):
    by: int = 1


def counter() -> Job:
    @job("counts")
    async def counts(step: StepContext) -> Any:
        step.state.set({"count": 0})
        await step.wait_for_signal("stop")
        return step.state.get("count")

    @counts.update
    async def add(step: StepContext, amount: Amount) -> int:
        """Count on."""
        step.log.info("adding", by=amount.by)
        count = step.state.get("count") + await step.run("measure", lambda: amount.by)
        step.state.update(count=count)
        return int(count)

    @add.validator
    def check(view: RunView, amount: Amount) -> None:
        if amount.by < 0:
            raise ValueError("it only counts up")

    @counts.update
    async def fail(step: StepContext) -> None:
        step.state.update(count=1000)
        raise ValueError("no luck")

    @counts.update
    async def wrong(step: StepContext) -> int:
        return "text"  # type: ignore[return-value]

    @counts.update(name="ask first")
    async def ask_first(step: StepContext) -> Any:
        said = await step.wait_for_signal("say")
        step.state.update(said=said)
        return said

    return counts


def state_of(run: Run) -> Any:
    return State.objects.get(run=run).value


def assert_done(run: Run, output: Any) -> None:
    ended = jobs.get(run.id)
    assert (ended.status, ended.output) == (RunStatus.COMPLETED, output), ended.error
    assert not Signal.objects.filter(consumed_by=None).exists()
    events(run)


def look(driver: Driver, run: Run) -> None:
    """What the watch of a driver does when the doorbell rings."""
    for execution in driver.executions:
        if execution.run_id == run.id:
            driver.call(execution.see, fetch_leases([run.id])[run.id])
