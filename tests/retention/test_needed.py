"""What a run at work needs is not removed: parents, children, forks, end hooks, and rows that somebody holds."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections, transaction

from runs import jobs
from runs.events.log import read_events
from runs.maintenance.retention import prune
from runs.maintenance.sweeper import sweep
from runs.models import EndHook, Run, RunStatus, Step
from runs.testing import advance, drain, temporary_jobs

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
Ended = Callable[..., Run]


def settle() -> None:
    """Drive everything that is due, the wake-ups of parents too."""
    while drain() or sweep():
        pass


def family(**options: Any) -> tuple[Run, Run]:
    """A parent that waits for a signal, and its child that has completed."""

    @jobs.job("child", **options)
    async def child(step: jobs.StepContext) -> str:
        return await step.run("one", lambda: "one")

    @jobs.job("parent")
    async def parent(step: jobs.StepContext) -> str:
        output: str = await step.child("child", child)
        if await step.wait_for_signal("go") == "fail":
            await step.run("fragile", fragile)
        return output

    def fragile() -> None:
        if not repaired:
            raise ValueError("not yet")

    repaired: list[int] = []
    top = jobs.start(parent).run
    settle()
    top.refresh_from_db()
    assert top.status == RunStatus.WAITING
    made = Run.objects.get(parent=top)
    made.repair = lambda: repaired.append(1)  # type: ignore[attr-defined]
    return top, made


def test_a_child_keeps_everything_while_its_parent_works() -> None:
    parent, child = family()
    advance(40 * DAY)
    assert prune().jobs == ()
    assert Step.objects.get(run=child).output == "one"
    jobs.signal(parent.id, "go", "on")
    settle()
    parent.refresh_from_db()
    assert parent.output == "one"
    assert [(row.job, row.runs) for row in prune().jobs] == [("child", 1)]


def test_a_child_that_is_not_kept_stays_until_its_parent_is_done_with_it() -> None:
    parent, child = family(retention=jobs.Retention(delete_on_completion=True))
    advance(DAY)
    sweep()
    assert Run.objects.filter(id=child.id).exists()
    jobs.signal(parent.id, "go", "fail")
    settle()
    sweep()
    assert Run.objects.get(id=parent.id).status == RunStatus.FAILED
    assert Run.objects.filter(id=child.id).exists(), "a retry of its parent would start it again"
    child.repair()  # type: ignore[attr-defined]
    jobs.retry(parent.id)
    settle()
    assert Run.objects.get(id=parent.id).output == "one"
    assert Run.objects.filter(job="child").count() == 0


def test_a_parent_is_not_deleted_while_a_detached_child_works(work: jobs.Job) -> None:
    @jobs.job("starter")
    async def starter(step: jobs.StepContext) -> None:
        await step.start_child("child", work, {"wait": True}, detached=True)

    parent = jobs.start(starter).run
    settle()
    child = Run.objects.get(parent=parent)
    advance(40 * DAY)
    pruned = prune()
    assert (pruned.runs, pruned.trimmed) == (0, 1)
    jobs.signal(child.id, "go")
    settle()
    assert prune().runs == 1
    assert Run.objects.get(id=child.id).output == "done"


def test_a_run_keeps_everything_while_a_fork_of_it_works(ended: Ended, work: jobs.Job) -> None:
    old = ended()
    fork = jobs.fork(old.id, "second", input={"wait": True})
    drain()
    advance(40 * DAY)
    assert prune().jobs == ()
    assert read_events(old.id)
    jobs.signal(fork.id, "go")
    drain()
    assert prune().runs == 1
    fork.refresh_from_db()
    assert (fork.output, fork.forked_from) == ("done", None)


def test_a_run_keeps_everything_until_its_end_hook_was_called() -> None:
    called = []

    @jobs.job("hooked", on_end=called.append)
    async def hooked(step: jobs.StepContext) -> str:
        return "done"

    with temporary_jobs():
        run = jobs.start(hooked).run
        jobs.cancel(run.id)
        advance(40 * DAY)
        assert Run.objects.get(id=run.id).end_hook == EndHook.DUE
        assert prune().jobs == ()
        assert prune(older_than=DAY).jobs == ()
        drain()
        assert len(called) == 1
        assert prune().runs == 1


def test_a_run_that_somebody_holds_is_passed_over_and_goes_the_next_time(ended: Ended, on_postgresql: bool) -> None:
    run = ended(2 * DAY)
    counts: list[int] = []

    def clean_up() -> None:
        try:
            counts.append(prune().trimmed)
        finally:
            connections.close_all()

    cleaner = threading.Thread(target=clean_up)
    with transaction.atomic():
        Run.objects.select_for_update(no_key=True).get(id=run.id)
        cleaner.start()
        # SQLite lets nobody write meanwhile: there the clean-up waits for the whole transaction.
        cleaner.join(60 if on_postgresql else 0.2)
        assert counts == ([0] if on_postgresql else [])
    cleaner.join(60)
    assert sum(counts) + prune().trimmed == 1


def test_two_clean_ups_at_once_remove_each_run_once(ended: Ended, work: jobs.Job) -> None:
    for _ in range(20):
        jobs.start(work, {})
    ended(2 * DAY)
    counts: list[int] = []

    def clean_up() -> None:
        try:
            counts.append(prune(batch=3).trimmed)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=clean_up) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(counts) == 21
