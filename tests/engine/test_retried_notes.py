"""What a job's code noted on the way to a failure is no longer ahead of it when a retry takes another way."""

from runs import jobs
from runs.errors import InvalidOption
from runs.jobs import Job, StepContext, job
from runs.models import RunStatus
from runs.testing import drain
from tests.engine.counting import state_of
from tests.engine.driver import begin, events


def stumbling(fails: list[bool]) -> Job:
    def work() -> str:
        if fails.pop():
            raise ValueError("no")
        return "done"

    @job("stumbling")
    async def stumble(step: StepContext) -> str:
        try:
            await step.run("work", work)
        except Exception:
            step.state.update(phase="failed")
            step.log.error("It failed")
            raise
        step.state.update(phase="worked")
        return str(await step.wait_for_signal("go"))

    @stumble.update
    async def rename(step: StepContext, name: str) -> str:
        step.state.update(name=name)
        return name

    return stumble


def test_the_state_after_a_retry_is_the_one_of_the_way_that_it_takes() -> None:
    run = begin(stumbling([False, True]))
    drain()
    assert (state_of(run), jobs.get(run.id).status) == ({"phase": "failed"}, RunStatus.FAILED)
    jobs.retry(run.id)
    drain()
    assert state_of(run) == {"phase": "worked"}
    jobs.signal(run.id, "go", "on")
    drain()
    assert (state_of(run), jobs.get(run.id).output) == ({"phase": "worked"}, "on")
    assert [event.data["message"] for event in events(run) if event.type == "log:write"] == ["It failed"]


def test_what_was_noted_after_a_call_that_is_refused_each_time_is_written_once() -> None:
    @job("refused")
    async def refused(step: StepContext) -> str:
        try:
            await step.race("race", {})
        except InvalidOption:
            step.log.warning("Refused")
        return str(await step.wait_for_signal("go"))

    run = begin(refused)
    drain()
    jobs.signal(run.id, "go", "on")
    drain()
    assert jobs.get(run.id).output == "on"
    assert [event.data["message"] for event in events(run) if event.type == "log:write"] == ["Refused"]


def test_an_update_is_handled_by_a_run_that_said_why_it_failed_and_was_retried() -> None:
    run = begin(stumbling([False, True]))
    drain()
    jobs.retry(run.id)
    drain()
    sent = jobs.update(run.id, "rename", "x")
    drain()
    assert jobs.get_update(run.id, sent.id).status == "completed"
    assert (state_of(run), jobs.get(run.id).status) == ({"phase": "worked", "name": "x"}, RunStatus.WAITING)
    jobs.signal(run.id, "go", "on")
    drain()
    assert jobs.get(run.id).status == RunStatus.COMPLETED
