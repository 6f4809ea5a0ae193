"""Concurrency keys: at most so many runs of one key under way, in order."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connections

from runs import jobs
from runs.jobs import Concurrency, Job, StepContext, job
from runs.models import Run, RunStatus
from runs.testing import advance, claim_for, drain, frozen_worker
from tests.engine.driver import begin


def keyed(limit: Any = 1, name: str = "keyed") -> Job:
    @job(name, concurrency=limit)
    async def waits(step: StepContext) -> str:
        return str(await step.wait_for_signal("go"))

    return waits


def of(*statuses: RunStatus) -> list[Any]:
    return list(Run.objects.filter(status__in=statuses).order_by("id").values_list("id", flat=True))


def test_one_after_the_other_in_order_of_their_start_and_waiting_holds_the_key() -> None:
    definition = keyed()
    first, second, third = (begin(definition, concurrency_key="k").id for _ in range(3))
    assert drain() == [first]
    assert (of(RunStatus.WAITING), of(RunStatus.QUEUED)) == ([first], [second, third])
    jobs.signal(first, "go", "x")
    assert drain() == [first, second]
    assert (of(RunStatus.WAITING), of(RunStatus.QUEUED)) == ([second], [third])
    jobs.cancel(second)
    assert drain() == [third]


def test_as_many_at_once_as_the_job_allows_and_other_keys_are_free() -> None:
    definition = keyed(2)
    same = [begin(definition, concurrency_key="k").id for _ in range(4)]
    free = [begin(definition, concurrency_key="other").id, begin(definition).id, begin(definition).id]
    drain()
    assert of(RunStatus.WAITING) == [*same[:2], *free]
    jobs.signal(same[1], "go")
    drain()
    assert of(RunStatus.WAITING) == [same[0], same[2], *free]


def test_a_key_belongs_to_its_job() -> None:
    first, second = begin(keyed(), concurrency_key="k"), begin(keyed(name="other"), concurrency_key="k")
    drain()
    assert of(RunStatus.WAITING) == [first.id, second.id]


def test_a_key_belongs_to_a_team_and_without_one_to_an_owner() -> None:
    definition = keyed()
    teams = [Group.objects.create(name=name) for name in ("red", "blue")]
    people = [User.objects.create_user(name) for name in ("ann", "bea")]
    scopes: list[dict[str, Any]] = [
        {"team": teams[0], "owner": people[0]}, {"team": teams[1], "owner": people[0]},
        {"owner": people[0]}, {"owner": people[1]}, {},
    ]  # fmt: skip
    firsts = [begin(definition, concurrency_key="k", **scope).id for scope in scopes]
    behind = [begin(definition, concurrency_key="k", **scope).id for scope in scopes]
    behind.append(begin(definition, concurrency_key="k", team=teams[0], owner=people[1]).id)
    drain()
    assert (of(RunStatus.WAITING), of(RunStatus.QUEUED)) == (firsts, behind)
    jobs.signal(firsts[0], "go")
    drain()
    assert of(RunStatus.WAITING) == [*firsts[1:], behind[0]], "only its own team had waited for it"


def test_a_waiting_run_gives_its_key_away_when_its_job_says_so() -> None:
    @job("generous", concurrency=Concurrency(limit=1, release_while_waiting=True))
    async def generous(step: StepContext) -> None:
        await step.wait_for_signal("go")

    ids = [begin(generous, concurrency_key="k").id for _ in range(3)]
    assert drain() == ids
    assert of(RunStatus.WAITING) == ids
    for run_id in ids:
        jobs.signal(run_id, "go")
    worker = frozen_worker()
    assert [run.id for run in claim_for(worker)] == [ids[0]], "only one of them works"
    assert claim_for(worker) == []


def test_a_paused_run_and_one_of_a_dead_worker_hold_their_key() -> None:
    definition = keyed()
    first, second = (begin(definition, concurrency_key="k") for _ in range(2))
    drain()
    jobs.pause(first.id)
    assert drain() == []
    jobs.resume(first.id)
    worker = frozen_worker()
    assert [run.id for run in claim_for(worker)] == [first.id]
    worker.delete()
    assert [run.id for run in claim_for(frozen_worker())] == [first.id]
    assert jobs.get(second.id).status == RunStatus.QUEUED


def test_a_retried_run_waits_for_room_like_any_other() -> None:
    broken = [True]

    @job("breaks", concurrency=1)
    async def breaks(step: StepContext) -> str:
        if broken:
            raise ZeroDivisionError
        return str(await step.wait_for_signal("go"))

    first = begin(breaks, concurrency_key="k")
    drain()
    broken.clear()
    second = begin(breaks, concurrency_key="k")
    drain()
    jobs.retry(first.id)
    assert drain() == []
    assert of(RunStatus.WAITING) == [second.id]
    jobs.signal(second.id, "go", "x")
    drain()
    assert of(RunStatus.WAITING) == [first.id]


def test_a_run_for_later_does_not_hold_the_others_up() -> None:
    definition = keyed()
    later = begin(definition, concurrency_key="k", run_at=jobs.get(begin(definition).id).run_at + timedelta(hours=1))
    now = begin(definition, concurrency_key="k")
    drain()
    assert now.id in of(RunStatus.WAITING)
    advance(timedelta(hours=1))
    assert drain() == []
    assert of(RunStatus.QUEUED) == [later.id]


@pytest.mark.parametrize("limit", [1, 3])
def test_claimers_at_the_same_time_keep_to_the_limit(limit: int) -> None:
    definition = keyed(limit)
    for _ in range(12):
        begin(definition, concurrency_key="k")
    barrier = threading.Barrier(4)
    taken: list[Run] = []
    failures: list[BaseException] = []

    def claim() -> None:
        try:
            worker = frozen_worker()
            barrier.wait(60)
            for _ in range(5):
                taken.extend(claim_for(worker, 2))
        except BaseException as exc:
            failures.append(exc)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len({run.id for run in taken}) == len(taken) == limit
    assert Run.objects.filter(status=RunStatus.RUNNING).count() == limit
