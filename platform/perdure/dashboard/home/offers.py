"""What home offers to start: what the person started last, or else what asks for least."""

from dataclasses import dataclass
from typing import Any

from perdure.dashboard.start.job_list import Startable, read_job_list
from runs.errors import JobNotFound
from runs.jobs import get_job

SHOWN = 4
_MANY = 1_000


@dataclass(frozen=True)
class Offers:
    """`total` is how many things can be started in all. `are_recent`: the person has started them before."""

    first: list[Startable]
    total: int
    are_recent: bool


def read_offers(user: Any) -> Offers:
    jobs = read_job_list(user, "")
    if jobs.recent:
        return Offers(jobs.recent[:SHOWN], jobs.total, True)
    everything = [one for _, ones in jobs.groups for one in ones]
    return Offers(sorted(everything, key=_effort)[:SHOWN], jobs.total, False)


def _effort(one: Startable) -> tuple[int, int]:
    """How many fields have to be filled in, and how many there are to read."""
    try:
        schema = get_job(one.name).input_schema()
    except JobNotFound:
        return _MANY, _MANY  # a flow or a pipeline: its page says more than a button may
    return len(schema.get("required") or ()), len(schema.get("properties") or ())
