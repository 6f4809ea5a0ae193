"""One key, one run: for the same job and team, or owner."""

import threading
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connections, transaction

from runs import jobs
from runs.errors import IdempotencyConflict, InvalidOption
from runs.jobs import Job, StepContext, job
from runs.models import Audit, Run
from runs.testing import drain
from tests.engine.driver import begin, types


def double() -> Job:
    @job("double")
    async def doubled(step: StepContext, number: float) -> float:
        return await step.run("double", lambda: number * 2)

    return doubled


def test_the_same_key_gives_the_same_run_and_starts_nothing() -> None:
    definition = double()
    first = jobs.start(definition, 2, idempotency_key="order-1")
    again = jobs.start(definition, 2.0, idempotency_key="order-1")
    assert (first.disposition, again.disposition) == ("created", "idempotent")
    assert first.run.id == again.run.id
    assert types(first.run) == ["run:queued"]
    assert Audit.objects.count() == 1
    drain()
    after = jobs.start(definition, 2, idempotency_key="order-1")
    assert (after.disposition, after.run.output) == ("idempotent", 4)


def test_other_input_under_the_same_key_is_a_conflict_that_names_the_run() -> None:
    definition = double()
    run = begin(definition, 2, idempotency_key="order-1")
    with pytest.raises(IdempotencyConflict) as met:
        jobs.start(definition, 3, idempotency_key="order-1")
    assert met.value.details == {"run_id": str(run.id)}
    assert Run.objects.count() == 1


def test_keys_of_other_jobs_owners_and_teams_are_other_keys() -> None:
    @job("other")
    async def other(step: StepContext, number: float) -> None: ...

    definition = double()
    people = [User.objects.create_user(name) for name in ("ada", "bob")]
    teams = [Group.objects.create(name=name) for name in ("one", "two")]
    scopes: list[dict[str, Any]] = [{}, *({"owner": one} for one in people), *({"team": one} for one in teams)]
    made = {begin(definition, 1, idempotency_key="k", **scope).id for scope in scopes}
    made.add(begin(other, 1, idempotency_key="k").id)
    assert len(made) == 6
    of_team = jobs.start(definition, 1, idempotency_key="k", team=teams[0], owner=people[1])
    assert of_team.disposition == "idempotent", "in a team the key is the team's, whoever starts the run"
    assert {begin(definition, 1, idempotency_key="k", **scope).id for scope in scopes} < made


def test_of_many_at_once_one_creates_the_run() -> None:
    definition = double()
    barrier = threading.Barrier(8)
    found: list[Any] = []

    def start() -> None:
        try:
            barrier.wait(60)
            found.append(jobs.start(definition, 5, idempotency_key="race"))
        except BaseException as exc:
            found.append(exc)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.disposition for one in found) == ["created", *["idempotent"] * 7]
    assert len({one.run.id for one in found}) == 1
    assert types(found[0].run) == ["run:queued"]


def test_a_start_belongs_to_the_transaction_of_its_caller() -> None:
    definition = double()
    with transaction.atomic():
        begin(definition, 1, idempotency_key="undone")
        transaction.set_rollback(True)
    assert not Run.objects.exists()
    assert jobs.start(definition, 9, idempotency_key="undone").disposition == "created"


BAD_OPTIONS: list[dict[str, Any]] = [
    {"idempotency_key": ""},
    {"idempotency_key": "x" * 201},
    {"idempotency_key": "a\x00b"},
    {"idempotency_key": "\ud800"},
    {"labels": {"a": 1}},
    {"labels": {"\x00": "a"}},
    {"labels": {str(n): "x" for n in range(51)}},
    {"priority": 2**31},
    {"queue": ""},
    {"queue": "x" * 101},
    {"run_at": datetime(2030, 1, 1)},  # noqa: DTZ001
]


def test_options_that_the_row_cannot_hold_are_refused_and_start_nothing() -> None:
    definition = double()
    for options in BAD_OPTIONS:
        with pytest.raises(InvalidOption) as met:
            jobs.start(definition, 1, **options)
        assert met.value.details == {"option": next(iter(options))}
    assert not Run.objects.exists()
