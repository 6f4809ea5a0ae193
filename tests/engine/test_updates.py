"""Updates: handlers that run inside the run, once each, in order of arrival."""

import asyncio
import threading
from typing import Any

from django.db import connections
from pydantic import SecretStr

from runs import jobs
from runs.jobs import StepContext, SyncStepContext, job
from runs.models import Run, RunStatus, Step
from runs.testing import drain
from tests.engine.counting import Login, assert_done, counter, look, state_of
from tests.engine.driver import Driver, begin, events, types, until


def test_a_waiting_run_handles_an_update_and_goes_on_waiting() -> None:
    run = begin(counter())
    drain()
    sent = jobs.update(run.id, "add", {"by": 2})
    assert (sent.status, sent.result, sent.finished_at) == ("accepted", None, None)
    drain()
    done = jobs.get_update(run.id, sent.id)
    assert (done.status, done.result, done.error) == ("completed", 2, None)
    assert (state_of(run), jobs.get(run.id).status) == ({"count": 2}, RunStatus.WAITING)
    assert Step.objects.get(name="measure@u1").branch == "u1"
    told = [one for one in events(run) if one.type.startswith(("update", "state"))]
    assert [one.type for one in told] == ["state:patch", "update:accept", "state:patch", "update:complete"]
    assert (told[1].data["update"], told[1].data["actor"]["kind"]) == ("add", "system")
    assert told[2].data["patch"] == [{"op": "replace", "path": "/count", "value": 2}]
    assert told[3].data == {"update": "add", "id": sent.id, "result": 2}
    jobs.signal(run.id, "stop")
    drain()
    assert_done(run, 2)


def test_updates_before_the_run_begins_are_handled_in_order_of_arrival() -> None:
    run = begin(counter())
    sent = [jobs.update(run.id, "add", {"by": by}) for by in (1, 2, 3)]
    jobs.signal(run.id, "stop")
    drain()
    assert [jobs.get_update(run.id, one.id).result for one in sent] == [1, 3, 6]
    assert jobs.get(run.id).status == RunStatus.COMPLETED


def test_a_run_that_would_be_done_at_once_handles_what_came_before() -> None:
    @job("quick")
    async def quick(step: StepContext) -> str:
        return "done"

    @quick.update
    async def look(step: StepContext) -> str:
        return await step.run("look", lambda: "seen")

    run = begin(quick)
    sent = jobs.update(run.id, "look")
    drain()
    assert jobs.get_update(run.id, sent.id).result == "seen"
    assert_done(run, "done")
    assert types(run)[-1] == "run:complete"


def test_an_update_while_a_step_runs_starts_no_step_again(driver: Driver) -> None:
    calls: list[int] = []
    go = threading.Event()

    @job("works")
    async def works(step: StepContext) -> Any:
        async def work() -> None:
            calls.append(1)
            await asyncio.to_thread(go.wait, 10)

        await step.run("work", work)
        return step.state.get("told")

    @works.update
    async def tell(step: StepContext, what: str) -> str:
        step.state.update(told=what)
        return what

    run = begin(works)
    driver.claim()
    until(lambda: calls)
    sent = jobs.update(run.id, "tell", "hurry")
    look(driver, run)
    assert until(lambda: jobs.get_update(run.id, sent.id).result) == "hurry"
    go.set()
    until(lambda: jobs.get(run.id).has_ended)
    assert_done(run, "hurry")
    assert calls == [1]


def test_an_update_while_no_worker_lives_is_handled_by_the_next_one(driver: Driver, settings: Any) -> None:
    settings.RUNS_UNLOAD_AFTER = 60
    run = begin(counter())
    driver.claim()
    until(lambda: Step.objects.exists())
    driver.kill()
    sent = jobs.update(run.id, "add")
    jobs.signal(run.id, "stop")
    drain()
    assert jobs.get_update(run.id, sent.id).result == 1
    assert jobs.get(run.id).output in (0, 1)


def test_an_update_that_comes_while_the_run_leaves_memory_is_handled(driver: Driver) -> None:
    """It commits after the run has looked, and before its going idle is written."""
    run = begin(counter())
    sent: list[jobs.UpdateAnswer] = []
    driver.claim()
    execution = until(lambda: driver.executions)[0]
    submit = execution.submit

    def late(transition: Any) -> Any:
        if transition.is_conditional and not sent:
            sending = threading.Thread(target=lambda: sent.append(send(run)))
            sending.start()
            sending.join(60)
        return submit(transition)

    execution.submit = late
    until(lambda: sent and jobs.get_update(run.id, sent[0].id).status == "completed")
    until(lambda: jobs.get(run.id).status == RunStatus.WAITING)
    assert types(run).count("run:wait") == 1
    assert "run:resume" not in types(run), "it never left"


def send(run: Run) -> jobs.UpdateAnswer:
    try:
        return jobs.update(run.id, "add")
    finally:
        connections.close_all()


def test_secrets_that_an_update_sets_and_returns_are_masked() -> None:
    made = counter()

    @made.update
    async def keep(step: StepContext) -> Login:
        login = Login(user="a", password=SecretStr("hunter2"))
        step.state.update(login=login)
        return login

    run = begin(made)
    drain()
    sent = jobs.update(run.id, "keep")
    drain()
    assert jobs.get_update(run.id, sent.id).result == {"user": "a", "password": "***"}
    assert state_of(run)["login"] == {"user": "a", "password": "hunter2"}, "as the job's own changes are kept"
    assert "hunter2" not in str([one.data for one in events(run)])


def test_a_handler_waits_for_signals_without_a_worker_and_the_run_ends_after_it() -> None:
    run = begin(counter())
    drain()
    sent = jobs.update(run.id, "ask first")
    behind = jobs.update(run.id, "add")
    drain()
    assert (jobs.get(run.id).status, jobs.get(run.id).lease_worker) == (RunStatus.WAITING, None)
    jobs.signal(run.id, "stop")
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING, "an update is under way"
    assert jobs.get_update(run.id, behind.id).status == "accepted", "one after the other"
    jobs.signal(run.id, "say", "yes")
    drain()
    assert jobs.get_update(run.id, sent.id).result == "yes"
    assert jobs.get_update(run.id, behind.id).result == 1
    assert state_of(run) == {"count": 1, "said": "yes"}
    assert_done(run, 0)


def test_a_plain_def_job_is_updated_by_an_async_handler() -> None:
    @job("plain")
    def plain(step: SyncStepContext) -> Any:
        step.state.set({"rounds": 0})
        seen = []
        for number in range(3):
            seen.append(step.state.get("told"))
            step.state.update(rounds=number + 1)
            step.wait_for_signal("next")
        return [seen, step.state.value]

    threads: list[str] = []

    @plain.update
    async def tell(step: StepContext, what: str) -> int:
        await step.run("where", lambda: threads.append(threading.current_thread().name))
        step.state.update(told=what)
        return int(step.state.get("rounds"))

    run = begin(plain)
    drain()
    rounds = []
    for number in range(3):
        sent = jobs.update(run.id, "tell", f"t{number}")
        drain()
        rounds.append(jobs.get_update(run.id, sent.id).result)
        jobs.signal(run.id, "next")
        drain()
    assert rounds == [1, 2, 3]
    assert_done(run, [[None, "t0", "t1"], {"rounds": 3, "told": "t2"}])
    assert len(threads) == 3


def test_a_paused_run_handles_its_updates_when_it_is_resumed() -> None:
    run = begin(counter())
    drain()
    jobs.pause(run.id)
    sent = jobs.update(run.id, "add")
    drain()
    assert jobs.get_update(run.id, sent.id).status == "accepted"
    jobs.resume(run.id)
    drain()
    assert jobs.get_update(run.id, sent.id).status == "completed"


def test_tasks_that_a_handler_leaves_end_with_it() -> None:
    made = counter()

    @made.update
    async def leave(step: StepContext) -> str:
        asyncio.create_task(step.wait_for_signal("never"))  # noqa: RUF006
        await asyncio.sleep(0)
        return await step.run("work", lambda: "left")

    run = begin(made)
    drain()
    sent = jobs.update(run.id, "leave")
    drain()
    assert jobs.get_update(run.id, sent.id).result == "left"
    assert Step.objects.get(name="signal:never#1@u1.1@u1").status == "cancelled"
    jobs.signal(run.id, "stop")
    drain()
    assert_done(run, 0)
