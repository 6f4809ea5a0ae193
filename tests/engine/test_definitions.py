"""What a job is, before any run."""

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel

from runs import jobs
from runs.errors import InvalidInput, InvalidJob, JobAlreadyRegistered, JobNotFound
from runs.jobs import StepContext, SyncStepContext, job
from runs.models import Run, RunStatus
from runs.testing import drain
from tests.engine.driver import begin


class Task(BaseModel):
    """What to do."""

    name: str
    times: int = 1


def test_a_job_tells_its_schemas_description_and_policies() -> None:
    @job("described", retries=3)
    async def described(step: StepContext, task: Task) -> list[str]:
        """Do it."""
        return []

    found = jobs.get_job("described")
    assert found is described
    assert found.description == "Do it."
    assert found.input_schema()["properties"]["name"]["type"] == "string"
    assert found.output_schema() == {"type": "array", "items": {"type": "string"}}
    assert found.retries.max_attempts == 3
    assert found in jobs.all_jobs()


def test_two_jobs_of_one_name_and_version_are_refused() -> None:
    @job("same")
    async def first(step: StepContext) -> None: ...

    with pytest.raises(JobAlreadyRegistered, match=r"first.*second"):

        @job("same")
        async def second(step: StepContext) -> None: ...

    assert jobs.get_job("same") is first


def test_two_functions_of_one_name_are_two_jobs_all_the_same() -> None:
    @job("same")
    async def function(step: StepContext) -> None: ...

    with pytest.raises(JobAlreadyRegistered):

        @job("same")
        async def function(step: StepContext) -> None: ...


def test_versions_live_side_by_side_and_runs_keep_theirs() -> None:
    @job("versioned", version="1")
    async def old(step: StepContext) -> str:
        return "old"

    run = begin(old)

    @job("versioned", version="2")
    async def new(step: StepContext) -> str:
        return "new"

    other = begin(jobs.get_job("versioned"))
    assert jobs.start("versioned", version="1").run.job_version == "1"
    drain()
    assert (jobs.get(run.id).output, jobs.get(other.id).output) == ("old", "new")


def test_an_unknown_job_or_version_is_not_found() -> None:
    @job("known")
    async def known(step: StepContext) -> None: ...

    for name, version in (("unknown", None), ("known", "2"), ("", None), ("\x00", None)):
        with pytest.raises(JobNotFound):
            jobs.start(name, version=version)
    assert not Run.objects.exists()


def test_names_and_versions_that_are_none_are_refused() -> None:
    async def function(step: StepContext) -> None: ...

    for name in ("", "x" * 201, "a/b", "a\nb", "\x00"):
        with pytest.raises(InvalidJob, match="has a name"):
            job(name)(function)
    for version in ("", "x" * 101, "a\nb"):
        with pytest.raises(InvalidJob, match="has a version"):
            job("versioned", version=version)(function)


def test_a_job_takes_the_step_and_at_most_one_input() -> None:
    with pytest.raises(InvalidJob, match="takes 3 parameters"):

        @job("many")
        async def many(step: StepContext, one: int, two: int) -> None: ...

    with pytest.raises(InvalidJob, match="takes 0 parameters"):

        @job("none")
        async def none() -> None: ...


def test_a_job_without_input_takes_none() -> None:
    @job("without")
    async def without(step: StepContext) -> None: ...

    for value in (None, {}):
        begin(without, value)
    values: list[Any] = [{"a": 1}, 7, [], "x", False]
    for value in values:
        with pytest.raises(InvalidInput, match="takes no input"):
            begin(without, value)


def test_a_job_is_still_a_plain_function_of_its_module() -> None:
    @job("sync")
    def plain(step: SyncStepContext) -> int:
        return 7

    @job("async")
    async def later(step: StepContext) -> int:
        return 8

    assert plain(None) == 7
    assert asyncio.run(later(None)) == 8
    assert (plain.is_async, later.is_async) == (False, True)


def test_a_run_gets_its_input_typed_and_its_defaults() -> None:
    seen: list[Any] = []

    @job("typed-input")
    async def typed_input(step: StepContext, task: Task) -> None:
        seen.append((task, step.run_id, step.labels))

    run = begin(typed_input, {"name": "a"}, labels={"team": "x"})
    begin(typed_input, Task(name="b", times=2))
    drain()
    assert [one for one, _, _ in seen] == [Task(name="a", times=1), Task(name="b", times=2)]
    assert seen[0][1:] == (run.id, {"team": "x"})
    assert jobs.get(run.id).status == RunStatus.COMPLETED
    assert jobs.get(run.id).input == {"name": "a", "times": 1}
