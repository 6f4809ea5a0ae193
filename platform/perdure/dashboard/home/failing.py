"""What is failing now: the failed runs of a day, put together by what their errors have in common."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from perdure.dashboard.fingerprints import errors_of, fingerprint
from perdure.dashboard.seen import Seen
from runs import clock
from runs.models import RunStatus

SINCE = timedelta(hours=24)
DEPTH = 1_000
"""So many of the newest failed runs are read: home is opened often."""
SHOWN = 6


@dataclass
class Failure:
    """Runs that failed alike. `last` is the newest of them, whose error is `text`; `jobs` are theirs."""

    fingerprint: str
    text: str
    count: int
    jobs: set[str]
    last: UUID
    last_at: datetime

    @property
    def job_names(self) -> str:
        return ", ".join(sorted(self.jobs))


@dataclass(frozen=True)
class Failing:
    """The most frequent groups. Not `is_all`: more runs have failed than were read."""

    groups: list[Failure]
    runs: int
    others: int
    is_all: bool

    @property
    def shown_runs(self) -> str:
        return str(self.runs) if self.is_all else f"{self.runs:,}+"

    @property
    def hint(self) -> str:
        kinds = len(self.groups) + self.others
        return f"{kinds} kind{' of error' if kinds == 1 else 's of errors'}" if kinds else "all is well"


def read_failing(seen: Seen) -> Failing:
    """Of the runs that somebody may see."""
    newest = seen.ids(RunStatus.FAILED, most=DEPTH)
    rows = list(errors_of(seen.runs(newest), "job", "finished_at"))
    since = clock.now() - SINCE
    recent = [row for row in rows if row[-1] is not None and row[-1] >= since]
    groups = sorted(_groups(recent), key=lambda group: (group.count, group.last_at), reverse=True)
    return Failing(groups[:SHOWN], len(recent), len(groups[SHOWN:]), len(newest) < DEPTH or len(recent) < len(rows))


def _groups(rows: Iterable[tuple[UUID, str, str, str, datetime]]) -> Iterable[Failure]:
    found: dict[str, Failure] = {}
    for run_id, kind, message, job, at in rows:
        error = {"type": kind, "message": message}
        key = fingerprint(error)
        group = found.setdefault(key, Failure(key, "", 0, set(), run_id, at))
        group.count += 1
        group.jobs.add(job)
        if not group.text or at > group.last_at:
            group.last, group.last_at, group.text = run_id, at, _said(kind, message)
    return found.values()


def _said(kind: str, message: str) -> str:
    return f"{kind or 'Error'}: {message or ''}".removesuffix(": ")
