"""Failures of shards and steps, told together."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NoReturn

from flows.pipelines.errors import PartFailed
from flows.pipelines.execution.scene import Scene
from runs.errors import RunsError, StepFailed


def with_all_failed(failures: Sequence[BaseException]) -> BaseException:
    """The first failure, or what ends the driving; it names the steps of the others for a retry of the run."""
    first = next((one for one in failures if not isinstance(one, Exception)), failures[0])
    if isinstance(first, RunsError):
        first.failed_steps = tuple(step for one in failures for step in getattr(one, "failed_steps", ()))
    return first


def all_of_steps(failures: Sequence[BaseException]) -> bool:
    """Have only steps failed? Anything else is no matter of a policy."""
    return all(isinstance(one, StepFailed) for one in failures)


@asynccontextmanager
async def recorded_too(scene: Scene, name: str) -> AsyncIterator[None]:
    """Inside, a failure of a part is recorded as that of the result `name` as well: readers look for it there.

    Raises the StepFailed of both.
    """
    try:
        yield
    except StepFailed as exc:
        try:
            await fail(scene, name, PartFailed(exc.step, exc.error))
        except StepFailed as told:
            told.failed_steps = (*exc.failed_steps, *told.failed_steps)
            raise


async def fail(scene: Scene, name: str, error: Exception) -> Any:
    """Record what is wrong with a step before it could begin, as its failure. Raises StepFailed."""

    async def refused() -> NoReturn:
        raise error

    return await scene.step.options(retries=1).run(name, refused)
