"""The jobs as the pages list them."""

from dataclasses import dataclass

from django.apps import apps

from runs.definitions import Job
from runs.jobs import all_jobs, get_job


@dataclass(frozen=True)
class JobCard:
    """What a page shows of a job. Not the job itself: that one is callable, and a template would call it."""

    name: str
    version: str
    description: str
    app: str = ""
    """The name of the app that brings it, for people."""

    @property
    def summary(self) -> str:
        """Its first paragraph."""
        return self.description.split("\n\n", 1)[0].replace("\n", " ")

    @property
    def more(self) -> str:
        """What stands below the first paragraph."""
        return self.description.partition("\n\n")[2]


def card_of(job: Job) -> JobCard:
    return JobCard(job.name, job.version, job.description, _app_of(job))


def latest_jobs() -> list[JobCard]:
    """Each job once, in the version that a new run gets, by name."""
    return [card_of(get_job(name)) for name in sorted({job.name for job in all_jobs()})]


def _app_of(job: Job) -> str:
    app = apps.get_containing_app_config(job.function.__module__)
    return str(app.verbose_name).replace("_", " ") if app is not None else "Other jobs"
