"""The jobs as the pages list them."""

from dataclasses import dataclass

from runs.definitions import Job
from runs.jobs import all_jobs, get_job


@dataclass(frozen=True)
class JobCard:
    """What a page shows of a job. Not the job itself: that one is callable, and a template would call it."""

    name: str
    version: str
    description: str


def card_of(job: Job) -> JobCard:
    return JobCard(job.name, job.version, job.description)


def latest_jobs() -> list[JobCard]:
    """Each job once, in the version that a new run gets, by name."""
    return [card_of(get_job(name)) for name in sorted({job.name for job in all_jobs()})]
