"""The end of one step goes to PostgreSQL by a way of its own when nothing else shares its commit: nobody can tell."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from runs import clock, jobs
from runs.engine.store import lone
from runs.engine.store.commit import commit
from runs.engine.store.transitions import Entry, Result, StepRow, Transition, Written
from runs.events.types import EventDraft, EventType
from runs.jobs import StepContext, job
from runs.models import Event, Run, Step
from runs.testing import claim_for, frozen_worker
from tests.engine.driver import begin

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
JSON = st.sampled_from(["1", "null", '"é \\" \\\\ {} ,"', '{"a":[1,null]}', "123456789012345678901234567890"])
ENDS = st.sampled_from([EventType.STEP_COMPLETE, EventType.STEP_FAIL, EventType.STEP_RETRY])


def claimed(count: int) -> list[Run]:
    @job("alone")
    async def alone(step: StepContext) -> None: ...

    for _ in range(count):
        begin(alone)
    return list(claim_for(frozen_worker(), count))


@st.composite
def ends_of_steps(draw: Any) -> Transition:
    """As `runs.engine.perform` makes them, for no run yet."""
    now, name, attempt = clock.now(), draw(NAMES), draw(st.none() | st.integers(1, 9))
    start = EventDraft(EventType.STEP_START, {"kind": "run", "epoch": 1}, name, attempt)
    end = EventDraft(draw(ENDS), {"output": draw(st.none() | NAMES)}, name, attempt)
    row = StepRow(
        None, name, "run", draw(NAMES), draw(st.integers(0, 2**31 - 1)), "completed", draw(st.integers(0, 9)),
        draw(st.integers(0, 9)), draw(st.none() | JSON), draw(st.sampled_from(["[]", '["a"]'])),
        draw(st.none() | st.just('{"message":"é"}')), draw(st.none() | st.just(now)),
        draw(st.none() | st.just(now + timedelta(microseconds=1))), draw(st.none() | st.just(now)),
    )  # type: ignore[arg-type]  # fmt: skip
    return Transition(now, events=draw(st.sampled_from([(start, end), (end,)])), steps=(row,))


def of(run: Run, made: Transition, *, token: int = 1, write_no: int = 1) -> Entry:
    return Entry(run.id, token, write_no, [made._replace(steps=(made.steps[0]._replace(run_id=run.id),))])


def rows_of(run: Run) -> list[Any]:
    own = {"id", "run_id", "created_at"}
    steps, events = Step.objects.filter(run_id=run.id), Event.objects.filter(run_id=run.id, sequence__gt=2)
    found = [
        [{name: value for name, value in row.items() if name not in own} for row in rows.values()]
        for rows in (steps, events.order_by("sequence"))
    ]
    at = list(events.values_list("created_at", flat=True))
    return [*found, at, Run.objects.values_list("write_no", "last_sequence", "claims").get(id=run.id)]


@settings(
    max_examples=12, deadline=None, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(made=ends_of_steps(), later=ends_of_steps())
def test_a_step_alone_leaves_what_it_leaves_in_a_batch(made: Transition, later: Transition) -> None:
    alone, *batched = claimed(3)
    again = later._replace(steps=(later.steps[0]._replace(name=made.steps[0].name),))
    for number, one in enumerate((made, again), 1):
        assert commit([of(alone, one, write_no=number)])[alone.id].result is Result.DONE
        both = commit([of(run, one, write_no=number) for run in batched])
        assert {written.result for written in both.values()} == {Result.DONE}
    assert rows_of(alone) == rows_of(batched[0]) == rows_of(batched[1])


def plain(name: str = "a") -> Transition:
    now = clock.now()
    events = (EventDraft(EventType.STEP_START, {}, name, 1), EventDraft(EventType.STEP_COMPLETE, {}, name, 1))
    row = StepRow(None, name, "run", "0", 0, "completed", 1, 0, "1", "[]", None, now, now, None)  # type: ignore[arg-type]
    return Transition(now, events=events, steps=(row,))


def test_on_postgresql_the_function_in_the_database_writes_it(
    on_postgresql: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    [run] = claimed(1)
    sent: list[str] = []
    execute = lone.execute

    def recorded(statement: str, values: Any) -> Any:
        sent.append(statement)
        return execute(statement, values)

    monkeypatch.setattr(lone, "execute", recorded)
    assert commit([of(run, plain())]) == {run.id: Written(Result.DONE, 4)}
    assert ["runs_write_step" in statement for statement in sent] == [True] * on_postgresql


@pytest.mark.parametrize("wrong", [{"token": 0}, {"token": 2}, {"write_no": 0}, {"write_no": 2}])
def test_a_step_alone_with_an_invalid_fence_writes_nothing(wrong: dict[str, int]) -> None:
    [run] = claimed(1)
    before = Run.objects.filter(id=run.id).values().get()
    assert commit([of(run, plain(), **wrong)]) == {run.id: Written(Result.LOST)}
    assert Run.objects.filter(id=run.id).values().get() == before
    assert not Step.objects.filter(run_id=run.id).exists()


def test_a_step_alone_of_a_run_that_was_given_back_or_deleted_writes_nothing() -> None:
    back, gone = claimed(2)
    Run.objects.filter(id=back.id).update(lease_worker=None)
    jobs.get(gone.id).delete()
    for run in (back, gone):
        assert commit([of(run, plain())]) == {run.id: Written(Result.LOST)}
        assert not Step.objects.filter(run_id=run.id).exists()


def test_a_step_alone_of_a_locked_run_does_not_wait(on_postgresql: bool) -> None:
    """On SQLite the file has one writer, and the lock is not a row's."""
    [run] = claimed(1)
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Run.objects.select_for_update().get(id=run.id)
            locked.set()
            done.wait(10)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    locked.wait(10)
    try:
        expected = Written(Result.BUSY) if on_postgresql else Written(Result.DONE, 4)
        if not on_postgresql:
            done.set()
            holder.join()
        assert commit([of(run, plain())]) == {run.id: expected}
    finally:
        done.set()
        holder.join()
