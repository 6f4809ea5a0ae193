"""Which runs a worker gets: due ones of its versions, by priority, each by one worker."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from uuid_utils.compat import uuid7

from runs import clock
from runs.conf import get_settings
from runs.engine.claim import claim_due, next_due_at
from runs.jobs import Job, NewRun, StepContext, job, start_many
from runs.models import Run, RunStatus, Worker
from runs.testing import advance, claim_for, frozen_worker
from tests.engine.driver import begin, events, types


def nothing(name: str = "nothing", version: str = "1") -> Job:
    @job(name, version=version)
    async def does_nothing(step: StepContext) -> None: ...

    return does_nothing


def test_higher_priority_goes_first_then_the_older_one() -> None:
    definition = nothing()
    runs = [begin(definition, priority=priority) for priority in (0, 5, -1, 5)]
    claimed = claim_for(frozen_worker(), limit=3)
    assert [run.id for run in claimed] == [runs[1].id, runs[3].id, runs[0].id]
    assert [run.id for run in claim_for(frozen_worker())] == [runs[2].id]


def test_a_run_is_not_taken_before_its_time() -> None:
    definition = nothing()
    at = clock.now() + timedelta(hours=1)
    run = begin(definition, run_at=at)
    worker = frozen_worker(lease=timedelta(days=1))
    assert claim_for(worker) == []
    assert next_due_at([definition.key]) == at
    assert next_due_at([("other", "1")]) is None
    assert next_due_at([]) is None
    advance(timedelta(hours=1, seconds=1))
    assert [one.id for one in claim_for(worker)] == [run.id]
    assert next_due_at([definition.key]) is None


def test_workers_take_only_versions_that_they_have() -> None:
    old, new = nothing(version="1"), nothing(version="2")
    first, second = begin(old), begin(new)
    worker = frozen_worker()
    assert [one.id for one in claim_due(worker.id, [("nothing", "2")], 10)] == [second.id]
    assert claim_due(worker.id, [("nothing", "2"), ("other", "1")], 10) == []
    assert claim_due(worker.id, [], 10) == []
    assert [one.id for one in claim_due(worker.id, [("nothing", "1")], 10)] == [first.id]


def test_a_claim_raises_the_token_and_is_written_in_the_log() -> None:
    run = begin(nothing())
    worker = frozen_worker()
    [claimed] = claim_for(worker)
    assert (claimed.status, claimed.lease_worker, claimed.lease_token, claimed.claims) == (
        RunStatus.RUNNING, worker.id, run.lease_token + 1, 1,
    )  # fmt: skip
    assert claimed.started_at is not None
    assert claimed.last_sequence == 2
    assert types(run) == ["run:queued", "run:start"]
    assert claim_for(worker) == []


def test_runs_of_a_dead_worker_are_taken_over_with_the_next_token() -> None:
    run = begin(nothing())
    dead = frozen_worker(lease=timedelta(seconds=10))
    claim_for(dead)
    alive = frozen_worker()
    assert claim_for(alive) == []
    advance(timedelta(seconds=11))
    [taken] = claim_for(alive)
    assert (taken.lease_worker, taken.lease_token, taken.claims) == (alive.id, 2, 2)
    assert events(run)[-1].type == "run:recover"
    alive.delete()
    [again] = claim_for(frozen_worker())
    assert (again.id, again.lease_token) == (run.id, 3)


def test_orphans_go_before_due_runs_and_the_limit_counts_both() -> None:
    definition = nothing()
    orphan = begin(definition)
    dead = frozen_worker()
    claim_for(dead)
    begin(definition, priority=100)
    dead.delete()
    assert [run.id for run in claim_for(frozen_worker(), limit=1)] == [orphan.id]
    assert claim_for(frozen_worker(), limit=0) == []


def test_several_claimers_take_each_run_once() -> None:
    definition = nothing()
    made = {begin(definition).id for _ in range(40)}
    barrier, found, lock = threading.Barrier(4), [], threading.Lock()

    def claim() -> None:
        worker = frozen_worker()
        barrier.wait(60)
        try:
            for _ in range(12):
                taken = claim_for(worker, limit=4)
                with lock:
                    found.extend(taken)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40
    assert {run.id for run in found} == made
    assert {run.lease_token for run in found} == {1}


@contextmanager
def held(runs: list[Run], on_postgresql: bool) -> Iterator[None]:
    """Somebody else's transaction holds these rows inside; on SQLite the whole file, for a moment."""
    ready, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                list(Run.objects.select_for_update().filter(id__in=[run.id for run in runs]))
                ready.set()
                release.wait(60 if on_postgresql else 0.2)
        finally:
            connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    assert ready.wait(60)
    try:
        yield
    finally:
        release.set()
        thread.join()


def test_a_locked_run_is_skipped_and_not_waited_for(on_postgresql: bool) -> None:
    """On SQLite there are no row locks: whoever writes has the whole file, and the claimer waits its turn."""
    definition = nothing()
    locked, free = begin(definition), begin(definition)
    worker = frozen_worker()
    with held([locked], on_postgresql):
        taken = {run.id for run in claim_for(worker)}
    assert taken == ({free.id} if on_postgresql else {locked.id, free.id})


def test_many_locked_runs_at_the_head_of_a_line_hide_none_behind_them(on_postgresql: bool) -> None:
    nothing()
    runs = [one.run for one in start_many([NewRun("nothing") for _ in range(60)])]
    with held(runs[:50], on_postgresql):
        taken = claim_for(frozen_worker(), limit=4)
    assert [run.id for run in taken] == [run.id for run in (runs[50:54] if on_postgresql else runs[:4])]


def test_runs_that_may_have_killed_their_workers_hold_back_no_other_of_the_dead() -> None:
    definition = nothing()
    runs = [begin(definition) for _ in range(5)]
    dead = frozen_worker()
    claim_for(dead)
    Run.objects.filter(id__in=[run.id for run in runs[:3]]).update(claims=get_settings().max_claims - 1)
    dead.delete()
    assert {run.id for run in claim_for(frozen_worker(), limit=3)} == {runs[0].id, runs[3].id, runs[4].id}


def test_time_worked_under_a_lost_lease_counts_up_to_the_last_that_was_recorded() -> None:
    run = begin(nothing())
    dead = frozen_worker()
    [claimed] = claim_for(dead)
    Run.objects.filter(id=run.id).update(claimed_at=claimed.claimed_at - timedelta(seconds=7))
    dead.delete()
    advance(timedelta(minutes=5))
    [taken] = claim_for(frozen_worker())
    assert 7_000 <= taken.active_ms < 60_000


def test_a_run_held_by_a_worker_unknown_to_the_table_is_due() -> None:
    run = begin(nothing())
    claim_due(uuid7(), [("nothing", "1")], 1)
    assert not Worker.objects.exists()
    assert [one.id for one in claim_for(frozen_worker())] == [run.id]


def test_a_claim_is_few_statements_and_a_look_for_nothing_is_one() -> None:
    begin(nothing())
    worker = frozen_worker()
    with CaptureQueriesContext(connection) as taking:
        assert len(claim_for(worker)) == 1
    with CaptureQueriesContext(connection) as looking:
        assert claim_for(worker) == []
    # on PostgreSQL it is one, by psycopg's own cursor, which Django does not count
    assert len(taking) <= (6 if connection.vendor == "sqlite" else 0)
    assert len(looking) <= (1 if connection.vendor == "sqlite" else 0)
