"""Named queues: each lets so many of its runs be driven at once, over all workers, and holds up no other."""

import threading
from typing import Any

import pytest
from django.db import connections

from runs import jobs
from runs.engine.store.rows import SYSTEM
from runs.errors import InvalidOption, QueueNotFound
from runs.jobs import Job, StepContext, job
from runs.models import Audit, Queue, Run, RunStatus, Worker
from runs.testing import claim_for, drain, frozen_worker
from tests.engine.driver import begin


def waits(queue: str = "default", name: str = "waits") -> Job:
    @job(name, queue=queue)
    async def waiting(step: StepContext) -> str:
        return str(await step.wait_for_signal("go"))

    return waiting


def limit(name: str, concurrency: int | None, *, paused: bool = False) -> None:
    jobs.set_queue(name, SYSTEM, concurrency=concurrency, is_paused=paused)


def ids(runs: list[Run]) -> list[Any]:
    return [run.id for run in runs]


def test_a_run_is_in_the_queue_of_its_job_or_of_its_start() -> None:
    definition = waits("gpu")
    assert (begin(definition).queue, begin(definition, queue="slow").queue) == ("gpu", "slow")
    assert begin(waits(name="plain")).queue == "default"


def test_at_most_so_many_are_driven_at_once_and_others_pass_by() -> None:
    definition = waits()
    limit("gpu", 2)
    busy = [begin(definition, queue="gpu", priority=10) for _ in range(40)]
    free = [begin(definition) for _ in range(3)]
    claimed = claim_for(frozen_worker(), limit=8)
    assert ids(claimed) == ids([*busy[:2], *free])
    assert claim_for(frozen_worker()) == []
    jobs.cancel(busy[0].id)
    assert ids(claim_for(frozen_worker())) == [busy[2].id]


def test_a_run_that_waits_holds_no_place_and_needs_one_to_go_on() -> None:
    definition = waits()
    limit("gpu", 1)
    runs = [begin(definition, queue="gpu") for _ in range(3)]
    assert drain() == ids(runs)
    assert {jobs.get(run.id).status for run in runs} == {RunStatus.WAITING}
    for run in runs:
        jobs.signal(run.id, "go")
    assert len(claim_for(frozen_worker())) == 1


def test_a_run_of_a_dead_worker_keeps_its_place() -> None:
    definition = waits()
    limit("gpu", 1)
    first, second = (begin(definition, queue="gpu") for _ in range(2))
    dead = frozen_worker()
    claim_for(dead)
    dead.delete()
    alive = frozen_worker()
    assert ids(claim_for(alive)) == [first.id]
    assert claim_for(alive) == []
    jobs.cancel(first.id)
    assert ids(claim_for(alive)) == [second.id]


def test_the_queue_and_the_key_of_a_run_must_both_have_room() -> None:
    definition = waits()
    limit("gpu", 2)
    first, second = (begin(definition, queue="gpu", concurrency_key="k") for _ in range(2))
    third = begin(definition, queue="gpu")
    worker = frozen_worker()
    assert ids([*claim_for(worker), *claim_for(worker)]) == [first.id, third.id]
    jobs.cancel(first.id)
    assert ids(claim_for(worker)) == [second.id]


def test_a_paused_queue_begins_wakes_and_takes_over_nothing() -> None:
    definition = waits("gpu")
    asleep = begin(definition)
    drain()
    orphan, dead = begin(definition), frozen_worker()
    assert ids(claim_for(dead)) == [orphan.id]
    dead.delete()
    fresh, other = begin(definition), begin(definition, queue="default")
    limit("gpu", None, paused=True)
    jobs.signal(asleep.id, "go")
    assert drain() == [other.id]
    limit("gpu", None)
    assert set(drain()) == set(ids([asleep, orphan, fresh]))


def test_an_end_hook_waits_for_its_paused_queue() -> None:
    told: list[str] = []

    @job("hooked", on_end=lambda run: told.append(run.status))
    async def hooked(step: StepContext) -> None: ...

    run = begin(hooked, queue="gpu")
    limit("gpu", None, paused=True)
    jobs.cancel(run.id)
    assert (drain(), told) == ([], [])
    limit("gpu", None)
    assert (drain(), told) == ([run.id], ["cancelled"])


def test_the_settings_give_limits_where_operators_said_nothing(settings: Any) -> None:
    settings.RUNS_QUEUE_LIMITS = {"gpu": 1, "mail": 1}
    definition = waits()
    for name in ("gpu", "mail"):
        for _ in range(4):
            begin(definition, queue=name)
    limit("mail", 3)
    worker = frozen_worker()
    assert sorted(run.queue for run in claim_for(worker)) == ["gpu", "mail", "mail", "mail"]
    jobs.forget_queue("mail", SYSTEM)
    assert claim_for(worker) == []
    limit("gpu", None)
    assert [run.queue for run in claim_for(worker)] == ["gpu"] * 3


def test_a_worker_serves_only_some_queues(settings: Any) -> None:
    definition = waits()
    mail, other = begin(definition, queue="mail"), begin(definition)
    settings.RUNS_QUEUES = ("mail", "gpu")
    worker = frozen_worker()
    assert ids(claim_for(worker)) == [mail.id]
    worker.delete()
    settings.RUNS_QUEUES = ("gpu",)
    assert claim_for(frozen_worker()) == [], "an orphan of another queue neither"
    settings.RUNS_QUEUES = ()
    assert ids(claim_for(frozen_worker())) == [mail.id, other.id]


@pytest.mark.parametrize("most", [1, 3])
def test_claimers_at_the_same_time_keep_to_the_limit_and_lose_no_run(most: int) -> None:
    definition = waits()
    limit("gpu", most)
    limited = [begin(definition, queue="gpu", priority=5) for _ in range(12)]
    free = {begin(definition).id for _ in range(12)}
    barrier = threading.Barrier(4)
    taken: list[Run] = []
    failures: list[BaseException] = []

    def claim() -> None:
        try:
            worker = frozen_worker()
            barrier.wait(60)
            for _ in range(8):
                taken.extend(claim_for(worker, 3))
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
    assert len({run.id for run in taken}) == len(taken)
    assert {run.id for run in taken if run.queue == "default"} == free
    assert len(taken) - len(free) == most == Run.objects.filter(queue="gpu", status=RunStatus.RUNNING).count()
    assert {run.id for run in taken} - free <= {run.id for run in limited}


def test_runs_of_a_limited_queue_all_end() -> None:
    under_way: list[int] = []
    most: list[int] = []

    @job("counted", queue="gpu")
    async def counted(step: StepContext) -> None:
        def work() -> None:
            under_way.append(1)
            most.append(len(under_way))
            threading.Event().wait(0.02)
            under_way.pop()

        await step.run("work", work)

    limit("gpu", 2)
    runs = [begin(counted) for _ in range(7)]
    drain()
    assert {jobs.get(run.id).status for run in runs} == {RunStatus.COMPLETED}
    assert max(most) <= 2


def test_what_operators_say_is_checked_and_audited() -> None:
    limit("gpu", 2, paused=True)
    assert Audit.objects.values_list("action", "target", "data").get() == (
        "queue.set", "gpu", {"concurrency": 2, "paused": True},
    )  # fmt: skip
    for name, concurrency in (("gpu", 0), ("gpu", 2**31), ("", 1), ("x" * 101, 1), ("a\nb", 1)):
        with pytest.raises(InvalidOption):
            limit(name, concurrency)
    with pytest.raises(QueueNotFound):
        jobs.forget_queue("mail", SYSTEM)
    assert Queue.objects.values_list("name", "concurrency", "is_paused").get() == ("gpu", 2, True)
    assert Audit.objects.count() == 1


def test_a_worker_s_row_names_the_queues_that_it_serves(settings: Any) -> None:
    from runs.engine import leases

    settings.RUNS_QUEUES = ("mail",)
    leases.register_worker("", [])
    assert Worker.objects.get().queues == ["mail"]
