"""`manage.py replay`: recorded histories against today's code; nothing is called, written or consumed."""

import asyncio
import io
import json
import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from runs import jobs
from runs.engine import rehearsal
from runs.jobs import StepContext, SyncStepContext, job
from runs.models import Run, RunStatus
from runs.testing import advance, drain, temporary_jobs
from tests.api.conftest import everything
from tests.engine.driver import begin

calls: list[str] = []


def say(word: str) -> str:
    calls.append(word)
    return word


def deploy(code: Any, name: str = "shipment") -> jobs.Job:
    return job(name)(code)


def recorded(code: Any, name: str = "shipment", *signals: str, **options: Any) -> Run:
    """A run as this code leaves it: at its end, or where it waits."""
    with temporary_jobs():
        run = begin(deploy(code, name), **options)
        for signal in signals:
            jobs.signal(run.id, signal, signal)
        drain()
    return jobs.get(run.id)


def replay(*arguments: str) -> tuple[int, dict[UUID, dict[str, Any]]]:
    """Exit code and what was told of each run, after checking that nothing was called or written."""
    calls.clear()
    before, out, code = everything(), io.StringIO(), 0
    try:
        call_command("replay", "--json", *arguments, stdout=out)
    except SystemExit as exc:
        code = int(str(exc.code))
    assert everything() == before
    assert calls == []
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    return code, {UUID(line["run"]): line for line in lines}


def code_of(middle: str, *, patched: bool = False) -> Any:
    async def shipment(step: StepContext) -> str:
        await step.run("pack", say, "pack")
        name = ("label-v2" if step.patched("labels") else "label") if patched else middle
        await step.run(name, say, "label")
        await step.wait_for_signal("go")
        return await step.run("send", say, "send")

    return shipment


def test_it_names_the_live_runs_that_a_renamed_step_breaks() -> None:
    live, done = recorded(code_of("label")), recorded(code_of("label"), "shipment", "go")
    assert (live.status, done.status) == (RunStatus.WAITING, RunStatus.COMPLETED)
    deploy(code_of("label-v2"))
    code, found = replay("--job", "shipment", "--since", "7d")
    assert code == 1
    assert {run: line["fit"] for run, line in found.items()} == {live.id: "breaks", done.id: "breaks"}
    assert [run for run, line in found.items() if line["live"]] == [live.id]
    assert "'label'" in found[live.id]["expected"]
    assert "'label-v2'" in found[live.id]["met"]


def test_it_says_so_to_a_reader() -> None:
    live = recorded(code_of("label"))
    deploy(code_of("label-v2"))
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("replay", "--job", "shipment", stdout=out)
    assert f"{live.id} shipment 1 (waiting): WOULD BREAK: its history has step 'label'" in out.getvalue()
    assert "1 that could still go on would break." in out.getvalue()


def test_it_passes_with_patched() -> None:
    old = [recorded(code_of("label")), recorded(code_of("label"), "shipment", "go")]
    new = recorded(code_of("", patched=True))
    deploy(code_of("", patched=True))
    code, found = replay("--job", "shipment")
    assert code == 0
    assert {run: line["fit"] for run, line in found.items()} == dict.fromkeys([old[0].id, old[1].id, new.id], "ok")


def test_a_run_that_has_only_ended_runs_broken_is_no_reason_to_stop_a_deploy() -> None:
    recorded(code_of("label"), "shipment", "go")
    deploy(code_of("label-v2"))
    assert replay("--job", "shipment")[0] == 0


def test_a_step_taken_away_and_a_step_added_before_others_break() -> None:
    live, done = recorded(code_of("label")), recorded(code_of("label"), "shipment", "go")

    async def shorter(step: StepContext) -> None:
        await step.run("pack", say, "pack")

    async def longer(step: StepContext) -> Any:
        await code_of("label")(step)
        await step.run("thank", say, "thank")

    with temporary_jobs():
        deploy(shorter)
        assert {line["met"] for line in replay()[1].values()} == {"the end of the job"}
    deploy(longer)
    code, found = replay()
    assert (code, found[live.id]["fit"], found[done.id]["fit"]) == (0, "ok", "breaks")
    assert found[done.id]["expected"] == "the end of the job"


def test_code_that_fails_or_is_not_there_is_an_error() -> None:
    live = recorded(code_of("label"))

    async def wrong(step: StepContext) -> str:
        await step.run("pack", say, "pack")
        raise KeyError("postcode")

    with temporary_jobs():
        deploy(wrong)
        code, found = replay("--run", str(live.id))
        assert (code, found[live.id]["fit"], found[live.id]["message"]) == (1, "error", "KeyError: 'postcode'")
    code, found = replay("--job", "shipment")
    assert (code, found[live.id]["fit"]) == (1, "error")
    assert "There is no version '1' of job 'shipment'" in found[live.id]["message"]


def test_an_input_or_output_that_no_longer_fits_is_an_error() -> None:
    async def takes(step: StepContext, count: int) -> int:
        await step.wait_for_signal("go")
        return count

    async def takes_text(step: StepContext, count: list[int]) -> int:
        return await takes(step, count)  # type: ignore[arg-type]

    async def gives_text(step: StepContext, count: int) -> list[str]:
        return await takes(step, count)  # type: ignore[return-value]

    live, done = recorded(takes, input=3), recorded(takes, "shipment", "go", input=3)
    with temporary_jobs():
        deploy(takes_text)
        assert {line["message"][:13] for line in replay()[1].values()} == {"InvalidInput:"}
    deploy(gives_text)
    _, found = replay()
    assert (found[live.id]["fit"], found[done.id]["fit"]) == ("ok", "error")
    assert "InvalidOutput" in found[done.id]["message"]


def test_failed_runs_fit_if_they_fail_as_they_did() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    async def fails(step: StepContext) -> None:
        await step.run("pack", say, "pack")
        await step.run("divide", fail)

    async def renamed(step: StepContext) -> None:
        await step.run("pack", say, "pack")
        await step.run("divide-again", fail)

    failed = recorded(fails)
    assert failed.status == RunStatus.FAILED
    with temporary_jobs():
        deploy(fails)
        assert replay()[0] == 0
    deploy(renamed)
    code, found = replay()
    assert (code, found[failed.id]["fit"], found[failed.id]["live"]) == (1, "breaks", True)


def many_things() -> Any:
    async def helper(step: StepContext, number: int) -> int:
        return await step.run("double", lambda: number * 2)

    async def body(step: StepContext) -> Any:
        doubled = await step.child("helper", "helper", 4)
        step.state.set({"doubled": doubled})
        items = await step.map("items", str, [1, 2, 3], concurrency=2)
        won = await step.race("first", {"quick": lambda s: s.run("quick", say, "quick"), "slow": waits})
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await step.run("endless", asyncio.Event().wait)
        await step.sleep("night", timedelta(hours=1))
        step.log.info("awake")
        pair = await asyncio.gather(step.run("a", say, "a"), step.wait_for_signal("go"))
        return [items, won.name, pair, step.state.value, step.patched("never-asked-before")]

    async def waits(step: StepContext) -> Any:
        return await step.wait_for_signal("never")

    return helper, body


def test_children_maps_races_timeouts_sleeps_and_state_are_replayed() -> None:
    helper, body = many_things()
    deploy(helper, "helper"), deploy(body)
    run = begin(jobs.get_job("shipment"))
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING
    assert replay()[0] == 0
    advance(timedelta(hours=2))
    drain()
    assert replay()[0] == 0
    jobs.signal(run.id, "go", "go")
    drain()
    assert jobs.get(run.id).output[:2] == [["1", "2", "3"], "quick"]
    code, found = replay()
    assert code == 0
    assert {line["fit"] for line in found.values()} == {"ok"}
    assert len(found) == 2


def test_plain_def_jobs_are_replayed_in_their_thread() -> None:
    def code(name: str) -> Any:
        def shipment(step: SyncStepContext) -> str:
            found = step.map("items", str, [1, 2])
            step.run(name, say, "label")
            return str(found) + step.wait_for_signal("go")

        return shipment

    live, done = recorded(code("label")), recorded(code("label"), "shipment", "go")
    with temporary_jobs():
        deploy(code("label"))
        assert {line["fit"] for line in replay()[1].values()} == {"ok"}
    deploy(code("other"))
    code_, found = replay()
    assert (code_, found[live.id]["fit"], found[done.id]["fit"]) == (1, "breaks", "breaks")


@pytest.mark.parametrize("style", ["async", "sync"])
def test_code_that_works_outside_of_steps_is_told_and_left(style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "SECONDS", 0.2)
    go_on = threading.Event()

    async def hangs(step: StepContext) -> None:
        await asyncio.Event().wait()

    def sync_hangs(step: SyncStepContext) -> None:
        go_on.wait(60)

    decide = rehearsal.Rehearsal.decide

    def decide_and_go_on(self: rehearsal.Rehearsal, verdict: Any) -> None:
        decide(self, verdict)
        go_on.set()

    monkeypatch.setattr(rehearsal.Rehearsal, "decide", decide_and_go_on)
    live = recorded(code_of("label"))
    deploy(hangs if style == "async" else sync_hangs)
    code, found = replay()
    assert (code, found[live.id]["fit"]) == (1, "error")
    assert "work outside of steps" in found[live.id]["message"]


def test_a_run_whose_history_is_gone_is_told_as_pruned() -> None:
    done = recorded(code_of("label"), "shipment", "go")
    deploy(code_of("label-v2"))
    Run.objects.filter(id=done.id).update(first_sequence=5)
    assert replay()[1][done.id]["fit"] == "pruned"


def test_another_version_can_be_tried() -> None:
    live = recorded(code_of("label"))
    deploy(code_of("label"))
    job("shipment", version="2")(code_of("label-v2"))
    assert replay("--job", "shipment")[0] == 0
    code, found = replay("--job", "shipment", "--against", "2")
    assert (code, found[live.id]["fit"], found[live.id]["version"]) == (1, "breaks", "2")


def test_old_ended_runs_are_left_out_and_old_live_ones_are_not() -> None:
    live, done = recorded(code_of("label")), recorded(code_of("label"), "shipment", "go")
    deploy(code_of("label"))
    advance(timedelta(days=3))
    assert set(replay("--since", "1d")[1]) == {live.id}
    assert set(replay("--since", "4d")[1]) == {live.id, done.id}


@pytest.mark.parametrize("wrong", [["--job", "nobody"], ["--since", "soon"], ["--run", "none"]])
def test_a_wrong_question_is_told_apart(wrong: list[str]) -> None:
    with pytest.raises(CommandError, match=wrong[0].strip("-").replace("job", "nobody")) as refused:
        call_command("replay", *wrong)
    assert refused.value.returncode == 2
