"""`coalesce="skip"`: a start that an earlier one of the same key can stand for makes no run."""

import threading
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connections

from runs import jobs
from runs.errors import InvalidOption
from runs.jobs import Job, StepContext, job
from runs.models import Run
from runs.testing import drain


def synced() -> Job:
    @job("sync")
    async def sync(step: StepContext) -> None:
        await step.wait_for_signal("go")

    return sync


def start(definition: Job, key: str = "k", **options: Any) -> jobs.Started:
    return jobs.start(definition, concurrency_key=key, coalesce="skip", **options)


def test_a_run_that_has_not_begun_stands_for_the_next_starts() -> None:
    definition = synced()
    first = start(definition)
    again = start(definition)
    other = start(definition, "other")
    assert [one.disposition for one in (first, again, other)] == ["created", "coalesced", "created"]
    assert (again.run.id, Run.objects.count()) == (first.run.id, 2)


def test_a_run_that_has_begun_stands_for_none_and_one_waits_behind_it() -> None:
    definition = synced()
    first = start(definition)
    drain()
    second, third = start(definition), start(definition)
    assert [one.disposition for one in (second, third)] == ["created", "coalesced"]
    assert second.run.id != first.run.id


def test_a_retried_run_stands_for_none() -> None:
    broken = [True]

    @job("sync")
    async def sync(step: StepContext) -> None:
        if broken:
            raise ZeroDivisionError

    first = start(sync)
    drain()
    jobs.retry(first.run.id)
    assert start(sync).disposition == "created"


def test_a_start_is_joined_within_a_team_and_never_across() -> None:
    definition = synced()
    red, blue = (Group.objects.create(name=name) for name in ("red", "blue"))
    ann, bea = (User.objects.create_user(name) for name in ("ann", "bea"))
    first = start(definition, owner=ann, team=red)
    assert start(definition, owner=bea, team=red).run.id == first.run.id
    others: list[dict[str, Any]] = [{"owner": ann, "team": blue}, {"owner": ann}, {"owner": bea}, {}]
    assert [start(definition, **scope).disposition for scope in others] == ["created"] * 4
    assert [start(definition, **scope).disposition for scope in others] == ["coalesced"] * 4


def test_starts_at_the_same_time_make_one_run() -> None:
    definition = synced()
    barrier = threading.Barrier(6)
    found: list[Any] = []

    def begin() -> None:
        try:
            barrier.wait(60)
            found.append(start(definition))
        except BaseException as exc:
            found.append(exc)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.disposition for one in found) == ["coalesced"] * 5 + ["created"]
    assert Run.objects.count() == 1


@pytest.mark.parametrize("options", [{"coalesce": "often", "concurrency_key": "k"}, {"coalesce": "skip"}], ids=str)
def test_what_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidOption):
        jobs.start(synced(), **options)
    assert not Run.objects.exists()
