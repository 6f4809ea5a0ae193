"""A claim is cheap however many runs wait for a time, a key or a place in a queue, and no locked row stops it."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from runs import clock, jobs
from runs.engine.claim import next_due_at
from runs.engine.store.rows import SYSTEM
from runs.jobs import Job, StepContext, job
from runs.models import Run, RunStatus
from runs.testing import claim_for, frozen_worker
from tests.engine.driver import begin


def waits() -> Job:
    @job("waits")
    async def waiting(step: StepContext) -> str:
        return str(await step.wait_for_signal("go"))

    return waiting


def fill(number: int, **values: Any) -> None:
    """Rows of runs, without their events: it is about how many there are."""
    now = clock.now()
    same = {"job": "waits", "job_version": "1", "created_at": now, "run_at": now, "due_at": now} | values
    Run.objects.bulk_create([Run(**same) for _ in range(number)], batch_size=1000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def takes_less_than(limit: float, work: Callable[[], object]) -> bool:
    """Seconds, once of many times: others use this machine, too."""
    for _ in range(50):
        began_at = time.perf_counter()
        work()
        if time.perf_counter() - began_at < limit:
            return True
    return False


def test_a_long_line_at_one_key_costs_each_of_its_runs_no_look_at_all_others() -> None:
    waits()
    fill(3_000, concurrency_key="k")
    worker = frozen_worker()
    assert len(claim_for(worker)) == 1
    assert takes_less_than(0.4, lambda: claim_for(worker))
    assert Run.objects.filter(status=RunStatus.RUNNING).count() == 1


def test_the_next_time_is_found_without_reading_all_times() -> None:
    waits()
    later = clock.now() + timedelta(days=3)
    fill(3_000, status=RunStatus.WAITING, due_at=later)
    assert next_due_at([("waits", "1")]) == later
    rows = Run.objects.filter(due_at__gt=clock.now()).order_by("due_at").values("due_at")[:1]
    assert "run_due_next" in rows.explain()


def test_a_locked_run_holds_up_no_limited_queue(on_postgresql: bool) -> None:
    definition = waits()
    jobs.set_queue("gpu", SYSTEM, concurrency=1, is_paused=False)
    first, second = (begin(definition, queue="gpu") for _ in range(2))
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Run.objects.select_for_update().get(id=first.id)
            held.set()
            release.wait(60 if on_postgresql else 0.1)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(60)
    claimed = [run.id for run in claim_for(frozen_worker())]
    release.set()
    holder.join()
    assert claimed == [second.id if on_postgresql else first.id]


def test_a_long_line_before_a_full_queue_keeps_nobody_from_another() -> None:
    definition = waits()
    jobs.set_queue("gpu", SYSTEM, concurrency=1, is_paused=False)
    worker = frozen_worker()
    driven = begin(definition, queue="gpu")
    assert [run.id for run in claim_for(worker)] == [driven.id]
    fill(3_000, queue="gpu", priority=9)
    other = begin(definition)
    assert [run.id for run in claim_for(worker)] == [other.id]
    assert takes_less_than(0.4, lambda: claim_for(worker))
    Run.objects.filter(id=driven.id).update(status=RunStatus.WAITING, due_at=None)
    assert [run.queue for run in claim_for(worker)] == ["gpu"]


def test_runs_that_others_will_take_are_not_read() -> None:
    waits()
    later = clock.now() + timedelta(days=1)
    for values in ({"job": "elsewhere"}, {"job_version": "2"}, {"due_at": later}, {"queue": "paused"}):
        fill(800, **({"priority": 9} | values))
    jobs.set_queue("paused", SYSTEM, concurrency=None, is_paused=True)
    fill(3, priority=1)
    fill(2, priority=5, queue="other")
    assert [run.priority for run in claim_for(frozen_worker(), limit=4)] == [5, 5, 1, 1]


def test_a_claim_of_plain_runs_is_one_statement_on_postgresql() -> None:
    """And it is the one that a plan of many rows is made for: no scan of the table, whatever it held at first."""
    waits()
    fill(500)
    with CaptureQueriesContext(connection) as statements:
        assert len(claim_for(frozen_worker(), limit=32)) == 32
    if connection.vendor == "postgresql":
        assert not [one["sql"] for one in statements if "runs_run" in one["sql"]]  # prepared: Django does not see it
