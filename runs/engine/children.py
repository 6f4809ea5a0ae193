"""Child runs: their ids stand in the parent's history before they exist, so a crash starts each of them once."""

from typing import Any, NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from runs.definitions import Job
from runs.engine.childwaits import ChildEnd, ChildStart, ChildWait
from runs.engine.ports import Kernel
from runs.engine.store import choice, family
from runs.errors import ChildFailed
from runs.models import ENDED, Run


class Wanted(NamedTuple):
    """A child's job. One that was asked for by its name alone gets the version that a rollout chooses, by the id."""

    job: Job
    by_name: bool = False

    def chosen(self, key: str) -> Job:
        """In a thread: it may ask the database."""
        return choice.choose(self.job.name, key) if self.by_name else self.job


async def run_first_that_completes(
    kernel: Kernel, run: Run, name: str, jobs: list[Wanted], value: Any, options: dict[str, Any]
) -> Any:
    """Children one after the other, until one completes; each is a step of its own. Raises the last ChildFailed."""
    _share(kernel)
    for place, wanted in enumerate(jobs):
        job = wanted.job
        step = name if place == 0 else f"{name}#{place + 1}"
        record = kernel.meet(step, ChildWait.kind)
        family.check(job, value, options)

        def begin(child_id: str, wanted: Wanted = wanted, step: str = step) -> None:
            chosen = wanted.chosen(options.get("concurrency_key") or child_id)
            family.start_child(run, step, UUID(child_id), chosen, value, options)

        wait = ChildWait(kernel, record, str(uuid7()), job.name, begin, find_end, job.parse_output)
        try:
            return await wait.result()
        except ChildFailed:
            if place == len(jobs) - 1:
                raise
    raise AssertionError("there is at least one job")


async def start_only(
    kernel: Kernel, run: Run, name: str, wanted: Wanted, value: Any, detached: bool, options: dict[str, Any]
) -> UUID:
    """A child that nobody waits for."""
    _share(kernel)
    family.check(wanted.job, value, options)

    def begin(child_id: str) -> None:
        chosen = wanted.chosen(options.get("concurrency_key") or child_id)
        family.start_child(run, name, UUID(child_id), chosen, value, options, detached)

    record = kernel.meet(name, ChildStart.kind)
    return UUID(await ChildStart(kernel, record, str(uuid7()), wanted.job.name, begin).result())


def _share(kernel: Kernel) -> None:
    if kernel.purse is not None:
        kernel.purse.share()


def find_end(child_id: str) -> ChildEnd | None:
    """How a child ended; None while it has not. A child that was deleted counts as cancelled."""
    row = Run.objects.filter(id=UUID(child_id)).values_list("status", "output", "error").first()
    if row is None:
        return ChildEnd("cancelled", None, {"message": "it was deleted"})
    return ChildEnd(*row) if row[0] in ENDED else None
