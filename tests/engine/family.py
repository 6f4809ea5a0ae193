"""A parent that waits for a child, which waits for a signal."""

from typing import Any

from runs.jobs import Job, StepContext, job
from runs.models import Run


def child_job(name: str = "child") -> Job:
    @job(name)
    async def child(step: StepContext, number: int) -> int:
        return await step.wait_for_signal("finish", type=int) * number

    return child


def parent_job(child: Job, **options: Any) -> Job:
    @job("parent")
    async def parent(step: StepContext) -> int:
        return int(await step.child("child", child, 7, **options))

    return parent


def only_child() -> Run:
    return Run.objects.get(parent__isnull=False)
