"""Workers find what is broken by hand, mend it, and write down that they did."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from runs import clock, jobs
from runs.jobs import StepContext, job
from runs.maintenance.invariants import INVARIANTS, Invariant, find_violations
from runs.maintenance.rounds import Rounds
from runs.models import Audit, EndHook, Event, Run, Signal, Step
from runs.testing import advance, drain
from tests.engine.driver import begin

LONG_AGO = timedelta(hours=2)

ended: list[str] = []


@job("fragile")
async def fragile(step: StepContext, how: str) -> str:
    """Stands at module level only to be called; each test registers it anew."""
    await step.run("first", str, how)
    if how == "child":
        return str(await step.child("within", "fragile", "signal"))
    if how == "sleep":
        await step.sleep("night", timedelta(hours=8))
    if how == "signal":
        return str(await step.wait_for_signal("go"))
    return how


@pytest.fixture(autouse=True)
def _registered() -> None:
    ended.clear()
    job("fragile", on_end=lambda run: ended.append(run.status))(fragile.function)


def begin_fragile(how: str) -> Run:
    run = begin(jobs.get_job("fragile"), how)
    drain()
    return jobs.get(run.id)


def change(run: Run, **values: Any) -> None:
    Run.objects.filter(id=run.id).update(**values)


def run_in_no_hands(run: Run) -> None:
    change(run, status="running", due_at=None)


def forget_the_time(run: Run) -> None:
    change(run, status="queued", due_at=None)


def wait_for_nothing(run: Run) -> None:
    change(run, due_at=None)
    Step.objects.filter(run=run, name="night").delete()


def lose_the_timer(run: Run) -> None:
    change(run, due_at=None)


def sleep_through_the_signal(run: Run) -> None:
    jobs.signal(run.id, "go", "!")
    change(run, status="waiting", due_at=None)


def name_a_worker(run: Run) -> None:
    change(run, lease_worker=uuid7())


def sleep_through_the_child(run: Run) -> None:
    """As if the child had been told, and the wake had been lost."""
    child = Run.objects.get(parent=run)
    jobs.signal(child.id, "go", "!")
    drain()
    change(child, finished_at=clock.now() - LONG_AGO)
    Step.objects.filter(run=run, name="within").update(status="running", finished_at=None)
    Event.objects.filter(run=run, sequence__gt=Event.objects.filter(run=run, type="run:wait").get().sequence).delete()
    last = Event.objects.filter(run=run).latest("sequence").sequence
    change(run, status="waiting", finished_at=None, end_hook=EndHook.ARMED, last_sequence=last, output=None)


BROKEN: dict[str, tuple[str, Callable[[Run], None]]] = {
    "running_without_lease": ("signal", run_in_no_hands),
    "idle_without_wake": ("sleep", wait_for_nothing),
    "timer_not_set": ("sleep", lose_the_timer),
    "signal_slept_through": ("signal", sleep_through_the_signal),
    "lease_without_work": ("signal", name_a_worker),
    "parent_not_woken": ("child", sleep_through_the_child),
}


def broken(name: str) -> Run:
    how, break_it = BROKEN[name]
    run = begin_fragile(how)
    break_it(run)
    assert {(one.invariant, one.run) for one in find_violations()} == {(name, run.id)}
    return run


def lines(run: Run) -> list[dict[str, Any]]:
    return list(Event.objects.filter(run=run, type="log:write").order_by("sequence").values_list("data", flat=True))


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_mended_and_told(name: str, caplog: pytest.LogCaptureFixture) -> None:
    run = broken(name)
    with caplog.at_level(logging.WARNING, "runs.maintenance"):
        assert Rounds().look() == {name: 1}
    assert list(find_violations()) == []
    (line,) = lines(run)
    assert (line["level"], line["data"], line["actor"]["kind"]) == ("warning", {"invariant": name}, "system")
    assert line["message"].startswith("Repaired: ")
    audit = Audit.objects.get(action="run.repair")
    assert (audit.target, audit.data["invariant"], audit.data["done"]) == (str(run.id), name, line["message"])
    assert f"{name} 1" in caplog.text


@pytest.mark.parametrize("name", BROKEN)
def test_a_mended_run_comes_to_its_end(name: str) -> None:
    run = broken(name)
    Rounds().look()
    drain()
    if not jobs.get(run.id).has_ended and BROKEN[name][0] == "signal":
        jobs.signal(run.id, "go", "!")
    advance(timedelta(hours=9))
    drain()
    assert jobs.get(run.id).status == "completed"
    assert Event.objects.filter(run=run, type="step:complete", step="first").count() == 1
    assert list(find_violations()) == []


def test_an_end_hook_that_nobody_made_due_is_called() -> None:
    run = begin_fragile("done")
    ended.clear()
    change(run, end_hook=EndHook.ARMED)
    assert [one.invariant for one in find_violations()] == ["end_hook_armed"]
    assert Rounds().look() == {"end_hook_armed": 1}
    drain()
    assert ended == ["completed"]
    assert (list(find_violations()), lines(run)) == ([], [])  # its end stays the last event
    assert Audit.objects.get(action="run.repair").target == str(run.id)


def test_a_queued_run_without_a_time_is_due_again() -> None:
    run = begin_fragile("signal")
    forget_the_time(run)
    assert Rounds().look() == {"idle_without_wake": 1}
    drain()
    assert jobs.get(run.id).status == "waiting"


def test_a_late_word_to_a_parent_is_told() -> None:
    parent = begin_fragile("child")
    child = Run.objects.get(parent=parent)
    jobs.signal(child.id, "go", "!")
    change(child, status="failed", due_at=None, finished_at=clock.now() - LONG_AGO, tell_parent=True, error={})
    change(child, end_hook=EndHook.DONE)
    drain()
    assert jobs.get(parent.id).status == "failed"
    (line,) = lines(parent)
    assert line["message"] == f"Repaired: the end of child {child.id} was told 120 minutes late."


def test_a_late_cancel_of_a_child_says_so() -> None:
    parent = begin_fragile("child")
    change(parent, status="cancelled", due_at=None, finished_at=clock.now() - LONG_AGO, end_hook=EndHook.DONE)
    Step.objects.filter(run=parent).update(status="completed")
    drain()
    child = Run.objects.get(parent=parent)
    assert (child.status, child.reason) == ("cancelled", "its parent was cancelled; found 120 minutes late")


def test_a_run_that_is_well_by_then_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker was quicker between the look and the lock."""
    run = broken("timer_not_set")
    first, second = Rounds(), Rounds()
    seen = list(INVARIANTS["timer_not_set"].query([run.id]))
    assert first.look() == {"timer_not_set": 1}
    monkeypatch.setitem(INVARIANTS, "timer_not_set", _also_seen(seen))
    assert second.look() == {}
    assert len(lines(run)) == 1


def _also_seen(seen: list[Any]) -> Any:
    """The invariant as a look found it a moment ago; under the run's lock it is asked again."""
    invariant, looks = INVARIANTS["timer_not_set"], iter([seen])
    return type(invariant)(
        invariant.name, invariant.holds, lambda ids: next(looks, None) or invariant.query(ids), invariant.mend
    )


def test_what_does_not_stay_mended_is_left_to_people() -> None:
    run, rounds = broken("timer_not_set"), Rounds()
    assert rounds.look() == {"timer_not_set": 1}
    change(run, status="waiting", due_at=None)
    assert rounds.look() == {}
    assert [one.invariant for one in find_violations()] == ["timer_not_set"]


def test_the_rounds_come_by_every_run_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runs.maintenance.rounds.STRETCH", 2)
    runs = [jobs.start("fragile", "signal").run for _ in range(5)]
    drain()
    for run in runs:
        change(run, lease_worker=uuid7())
    rounds = Rounds()
    assert [rounds.look().total() for _ in range(3)] == [2, 2, 1]
    assert rounds.look() == {}
    assert list(find_violations()) == []


def test_an_invariant_that_fails_keeps_no_other_from_its_turn(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = broken("timer_not_set")

    def fail(ids: object) -> Any:
        raise ZeroDivisionError

    monkeypatch.setitem(INVARIANTS, "lease_without_work", Invariant("odd", "It fails.", fail, lambda run: ""))
    assert Rounds().look() == {"timer_not_set": 1}
    assert len(lines(run)) == 1
    assert "'odd' cannot be asked" in caplog.text


def test_a_healthy_database_is_left_as_it_is() -> None:
    for how in ("done", "child", "sleep", "signal"):
        begin_fragile(how)
    before = list(Event.objects.values()), list(Signal.objects.values()), list(Run.objects.values())
    assert Rounds().look() == {}
    assert (list(Event.objects.values()), list(Signal.objects.values()), list(Run.objects.values())) == before
