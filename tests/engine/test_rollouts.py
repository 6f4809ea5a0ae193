"""A share of a job's new runs gets another version: sticky per key, and back and forward by one action."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from runs import clock, jobs
from runs.errors import InvalidOption, JobNotFound, RolloutNotFound
from runs.jobs import StepContext, job
from runs.models import Audit, Rollout, Run
from runs.testing import advance, drain


def register(*versions: str) -> None:
    for version in versions:

        @job("parcel", version=version)
        async def parcel(step: StepContext, number: int | None) -> str:
            return "sent"


@pytest.fixture(autouse=True)
def _versions() -> None:
    register("1", "2")


def start_many(count: int, **options: Any) -> Counter[str]:
    return Counter(jobs.start("parcel", number, **options).run.job_version for number in range(count))


def start_keyed(keys: range) -> dict[int, str]:
    return {number: jobs.start("parcel", concurrency_key=f"customer {number}").run.job_version for number in keys}


def test_without_a_rollout_the_version_registered_last_is_started() -> None:
    assert start_many(5) == {"2": 5}


def test_new_runs_get_the_version_in_about_the_share() -> None:
    jobs.set_rollout("parcel", "2", 25)
    found = start_many(400)
    assert found.keys() == {"1", "2"}
    assert 50 < found["2"] < 150


@pytest.mark.parametrize(("percent", "expected"), [(0, "1"), (100, "2")])
def test_back_and_forward_are_one_action_and_runs_keep_what_they_have(percent: int, expected: str) -> None:
    jobs.set_rollout("parcel", "2", 50)
    before = {run.id: run.job_version for run in [jobs.start("parcel").run for _ in range(10)]}
    jobs.set_rollout("parcel", "2", percent)
    assert start_many(20) == {expected: 20}
    assert {run.id: run.job_version for run in Run.objects.filter(id__in=before)} == before
    jobs.end_rollout("parcel")
    assert start_many(5) == {"2": 5}


def test_a_concurrency_key_stays_with_its_version_and_a_larger_share_holds_the_smaller() -> None:
    jobs.set_rollout("parcel", "2", 30)
    first = start_keyed(range(100))
    assert set(first.values()) == {"1", "2"}
    assert start_keyed(range(100)) == first
    jobs.set_rollout("parcel", "2", 60)
    more = start_keyed(range(100))
    assert {number for number, version in first.items() if version == "2"} < {
        number for number, version in more.items() if version == "2"
    }


def test_a_repeated_request_finds_its_run_whatever_the_share_is_now() -> None:
    jobs.set_rollout("parcel", "2", 0)
    run = jobs.start("parcel", 3, idempotency_key="order 3").run
    jobs.set_rollout("parcel", "2", 100)
    again = jobs.start("parcel", 3, idempotency_key="order 3")
    assert (again.run.id, again.disposition, again.run.job_version) == (run.id, "idempotent", "1")


def test_a_run_that_names_a_version_gets_it() -> None:
    jobs.set_rollout("parcel", "2", 100)
    assert start_many(5, version="1") == {"1": 5}
    assert jobs.start(jobs.get_job("parcel", "1")).run.job_version == "1"


def test_children_schedules_and_presets_by_name_follow_the_rollout() -> None:
    @job("parent")
    async def parent(step: StepContext) -> list[str]:
        await step.start_child("apart", "parcel", 1)
        return [await step.child("within", "parcel", 2), await step.child("fixed", "parcel", 3, version="2")]

    jobs.set_rollout("parcel", "2", 0)
    run = jobs.start(parent).run
    drain()
    assert jobs.get(run.id).output == ["sent", "sent"]
    children = Run.objects.filter(parent=run).order_by("id").values_list("input", "job_version")
    assert sorted(children) == [(1, "1"), (2, "1"), (3, "2")]
    assert jobs.start_preset(jobs.create_preset("mine", "parcel", 4).id).run.job_version == "1"
    spec = jobs.ScheduleSpec(name="soon", job="parcel", input=5, at=clock.now() + timedelta(hours=1))
    schedule = jobs.create_schedule(spec)
    assert jobs.trigger_schedule(schedule.id).run.job_version == "1"
    advance(timedelta(hours=2))


def test_the_base_is_kept_and_can_be_named() -> None:
    register("3")
    assert jobs.set_rollout("parcel", "3", 10).base == "2"
    assert jobs.set_rollout("parcel", "3", 20, base="1").base == "1"
    assert jobs.set_rollout("parcel", "3", 30).base == "1"
    assert jobs.set_rollout("parcel", "1", 40).base == "3"


def test_a_process_without_the_version_starts_the_one_that_it_has() -> None:
    register("3")
    Rollout.objects.create(
        job="parcel", version="9", base="1", percent=100, created_at=clock.now(), changed_at=clock.now()
    )
    assert start_many(3) == {"1": 3}


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (("parcel", "9", 5), JobNotFound),
        (("nobody", "1", 5), JobNotFound),
        (("parcel", "2", 101), InvalidOption),
        (("parcel", "2", -1), InvalidOption),
        (("lonely", "1", 5), InvalidOption),
    ],
)
def test_what_could_not_be_started_is_refused(arguments: tuple[str, str, int], kind: type[Exception]) -> None:
    job("lonely")(lambda step: None)
    with pytest.raises(kind):
        jobs.set_rollout(*arguments)
    assert not Rollout.objects.exists()
    assert not Audit.objects.exists()


def test_a_base_that_is_the_version_or_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidOption):
        jobs.set_rollout("parcel", "2", 5, base="2")
    with pytest.raises(JobNotFound):
        jobs.set_rollout("parcel", "2", 5, base="9")
    with pytest.raises(RolloutNotFound):
        jobs.end_rollout("parcel")


def test_who_changed_it_stays_in_the_audit() -> None:
    olga = jobs.Actor("user", "7", "olga")
    jobs.set_rollout("parcel", "2", 5, actor=olga)
    jobs.end_rollout("parcel", actor=olga)
    rows = Audit.objects.order_by("id").values_list("action", "target", "actor_name", "data")
    data = {"version": "2", "base": "1", "percent": 5}
    assert list(rows) == [("rollout.set", "parcel", "olga", data), ("rollout.end", "parcel", "olga", data)]
