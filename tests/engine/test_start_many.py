"""Many runs started with one call: all of them, or none, each as `start` would have started it."""

import threading
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from runs import jobs
from runs.errors import IdempotencyConflict, InvalidInput, InvalidOption, JobNotFound
from runs.jobs import Actor, Job, NewRun, StepContext, job
from runs.models import Audit, Event, Run, RunStatus
from runs.testing import drain
from tests.engine.driver import events, types


def double() -> Job:
    @job("double")
    async def doubled(step: StepContext, number: int) -> int:
        return await step.run("double", lambda: number * 2)

    return doubled


def test_every_run_is_started_in_the_order_given_and_done() -> None:
    double()
    started = jobs.start_many(NewRun("double", number) for number in range(50))
    assert {one.disposition for one in started} == {"created"}
    assert [one.run.input for one in started] == list(range(50))
    drain()
    assert [jobs.get(one.run.id).output for one in started] == [2 * number for number in range(50)]
    assert types(started[7].run)[:2] == ["run:queued", "run:start"]


def test_each_run_is_what_a_single_start_makes() -> None:
    definition = double()
    ada, team = User.objects.create_user("ada"), Group.objects.create(name="one")
    options: dict[str, Any] = {
        "owner": ada, "team": team, "labels": {"a": "b"}, "priority": 3, "queue": "slow", "concurrency_key": "k",
    }  # fmt: skip
    actor = Actor.of(ada, address="10.0.0.1")
    single = jobs.start(definition, 1, actor=actor, **options).run
    [started] = jobs.start_many([NewRun(definition, 1, **options)], actor=actor)
    own = {"id", "created_at", "run_at", "due_at"}
    columns = [field.attname for field in Run._meta.concrete_fields if field.name not in own]
    rows = [Run.objects.values(*columns).get(id=one) for one in (single.id, started.run.id)]
    assert rows[0] == rows[1]
    first, second = (events(run)[0].data | {"run_at": None} for run in (single, started.run))
    assert first == second
    audits = Audit.objects.values("actor_kind", "actor_id", "actor_name", "address", "action", "data")
    assert audits.get(target=str(single.id)) == audits.get(target=str(started.run.id))


def test_the_row_that_a_start_gives_back_is_the_row_that_is_stored() -> None:
    started = jobs.start(double(), 4, labels={"a": "b"})
    stored = jobs.get(started.run.id)
    for field in Run._meta.concrete_fields:
        assert getattr(started.run, field.attname) == getattr(stored, field.attname), field.name
    started.run.refresh_from_db()


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (NewRun("double", "no number"), InvalidInput),
        (NewRun("double", 1, coalesce="skip"), InvalidOption),
        (NewRun("double", 1, labels={"": "x"}), InvalidOption),
        (NewRun("nowhere", 1), JobNotFound),
        (NewRun("double", 1, idempotency_key="taken"), IdempotencyConflict),
    ],
)
def test_one_that_cannot_be_started_keeps_all_from_being_started(bad: NewRun, error: type[Exception]) -> None:
    jobs.start(double(), 7, idempotency_key="taken")
    with pytest.raises(error):
        jobs.start_many([NewRun("double", 1), NewRun("double", 2, idempotency_key="new"), bad])
    assert (Run.objects.count(), Event.objects.count(), Audit.objects.count()) == (1, 1, 1)


def test_a_key_that_is_taken_or_given_twice_gives_one_run() -> None:
    double()
    before = jobs.start("double", 1, idempotency_key="b").run
    keys = ["c", "b", "a", "c"]
    started = jobs.start_many(NewRun("double", 1, idempotency_key=key) for key in keys)
    assert [one.disposition for one in started] == ["created", "idempotent", "created", "idempotent"]
    assert started[1].run.id == before.id
    assert started[0].run.id == started[3].run.id
    assert Run.objects.count() == Audit.objects.count() == Event.objects.count() == 3


def test_coalescing_runs_join_those_before_them_in_the_same_call() -> None:
    double()
    started = jobs.start_many(NewRun("double", 1, concurrency_key=key, coalesce="skip") for key in ("k", "k", "other"))
    assert [one.disposition for one in started] == ["created", "coalesced", "created"]
    assert started[0].run.id == started[1].run.id


def test_nothing_is_left_when_the_callers_transaction_is_rolled_back() -> None:
    double()
    with transaction.atomic():
        jobs.start_many(NewRun("double", number) for number in range(3))
        jobs.start("double", 1)
        transaction.set_rollback(True)
    assert not Run.objects.exists()
    assert jobs.start_many([]) == []


def test_a_hundred_runs_are_few_statements() -> None:
    double()
    with CaptureQueriesContext(connection) as statements:
        jobs.start_many(NewRun("double", number) for number in range(100))
    assert Run.objects.filter(status=RunStatus.QUEUED).count() == 100
    assert len(statements) < 12 if connection.vendor == "sqlite" else len(statements) == 3


def test_a_lone_start_is_one_statement_on_postgresql() -> None:
    double()
    with CaptureQueriesContext(connection) as statements:
        jobs.start("double", 1)
    if connection.vendor == "postgresql":
        assert len(statements) == 1


def test_two_calls_with_the_same_keys_in_opposite_order_do_not_block_each_other() -> None:
    double()
    names = [f"key-{number:02}" for number in range(40)]
    barrier, dispositions = threading.Barrier(2), []

    def call(keys: list[str]) -> None:
        wanted = [
            NewRun("double", 1, concurrency_key=key, coalesce="skip", idempotency_key=key) for key in keys
        ]  # fmt: skip
        barrier.wait(60)
        try:
            dispositions.extend(one.disposition for one in jobs.start_many(wanted))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call, args=[keys]) for keys in (names, names[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(dispositions) == ["coalesced"] * 40 + ["created"] * 40


def test_a_connection_that_starts_often_prepares_it_unless_a_pooler_stands_between() -> None:
    double()
    before = connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS", False)
    if connection.vendor == "postgresql":
        for is_pooled in (True, False):
            connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = is_pooled
            try:
                for number in range(8):
                    jobs.start("double", number)
            finally:
                connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = before
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%INSERT INTO runs_run%'"
                )
                assert cursor.fetchone() == (0 if is_pooled else 1,)
    assert jobs.start("double", 1).disposition == "created"
