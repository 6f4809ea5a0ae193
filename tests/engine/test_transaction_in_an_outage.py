"""The database goes away under a transactional step: that is no failure of its function, and nothing happens twice."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection, transaction

from runs import jobs
from runs.engine.store.transitions import Entry, Written
from runs.jobs import StepContext, job
from runs.models import RunStatus
from tests.engine.driver import Driver, begin, until
from tests.engine.written import groups, make, step_types

LOST = "database is locked, or the server closed the connection"


def _ended(driver: Driver, function: Callable[[], Any]) -> Any:
    @job("writes")
    async def writes(step: StepContext) -> str:
        value: str = await step.transaction("make", function)
        return value + await step.run("after", lambda: "!")

    run = begin(writes)
    driver.claim()
    until(lambda: jobs.get(run.id).has_ended)
    return jobs.get(run.id)


def test_a_commit_that_did_not_happen_is_tried_again_and_costs_no_attempt(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, on_postgresql: bool
) -> None:
    calls: list[int] = []
    commit = driver.world.writer.commit

    def cut_once(entries: list[Entry]) -> dict[UUID, Written]:
        if calls == [1] and any(row.kind == "transaction" for row in entries[0].step_rows()):
            calls.append(0)
            if on_postgresql:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            raise OperationalError(LOST)
        return commit(entries)

    def function() -> str:
        calls.append(1)
        return make(f"try {len(calls)}")

    monkeypatch.setattr(driver.world.writer, "commit", cut_once)
    run = _ended(driver, function)
    assert (run.status, run.output) == (RunStatus.COMPLETED, "try 3!"), run.error
    assert groups() == ["try 3"]
    assert step_types(run) == ["step:start", "step:complete"] * 2


def test_a_connection_that_is_cut_inside_the_function_costs_no_attempt(driver: Driver, on_postgresql: bool) -> None:
    """Only PostgreSQL has a connection to cut; on SQLite the function is called once."""
    calls: list[int] = []

    def function() -> str:
        calls.append(1)
        made = make(f"try {len(calls)}")
        if on_postgresql and len(calls) == 1:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return made

    run = _ended(driver, function)
    last = f"try {len(calls)}"
    assert (run.status, run.output) == (RunStatus.COMPLETED, f"{last}!"), run.error
    assert groups() == [last]
    assert len(calls) == (2 if on_postgresql else 1)


def test_a_commit_whose_answer_was_lost_is_not_repeated(driver: Driver) -> None:
    calls: list[int] = []

    def function() -> str:
        calls.append(1)
        transaction.on_commit(_lose_the_answer)
        return make("made")

    run = _ended(driver, function)
    assert (run.status, run.output) == (RunStatus.COMPLETED, "made!"), run.error
    assert (groups(), calls) == (["made"], [1])
    assert step_types(run) == ["step:start", "step:complete"] * 2


def test_a_function_that_fails_by_itself_is_not_taken_for_an_outage(driver: Driver) -> None:
    def function() -> str:
        raise OperationalError("another database of its own is away")

    run = _ended(driver, function)
    assert run.status == RunStatus.FAILED
    assert "another database" in run.error["message"]


def _lose_the_answer() -> None:
    raise OperationalError(LOST)
