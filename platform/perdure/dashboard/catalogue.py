"""The jobs as the pages list them."""

from runs.definitions import Job
from runs.jobs import all_jobs, get_job


def latest_jobs() -> list[Job]:
    """Each job once, in the version that a new run gets, by name."""
    return [get_job(name) for name in sorted({job.name for job in all_jobs()})]
