"""Clean-up: how long ended runs and their histories are kept, and the removal of what is older."""

import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db.models import Q

from runs import clock, jobs
from runs.conf import get_settings
from runs.definitions import Retention
from runs.engine.store import pruning
from runs.engine.store.pruning import Tally
from runs.engine.store.rows import SYSTEM, write_audit
from runs.errors import InvalidOption, JobNotFound
from runs.maintenance.files import sweep_files
from runs.maintenance.usage import forget_old
from runs.models import Run, RunStatus

ON_COMPLETION_GRACE: Final = timedelta(seconds=10)
"""A completed run that goes at once stays so long that followers receive its end."""

REQUEST_SECONDS: Final = 20.0
"""So long a page or REST cleans up before it answers with what it has done."""

_LONGEST_REST_SECONDS: Final = 0.2
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class PrunedJob:
    """How much of one job: whole runs, runs that lost their history only, and events of both."""

    job: str
    runs: int
    trimmed: int
    events: int


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a clean-up removed, or with `dry_run` would remove. Not `complete`: its time was over before its work."""

    jobs: tuple[PrunedJob, ...]
    dry_run: bool = False
    complete: bool = True

    @property
    def runs(self) -> int:
        return sum(job.runs for job in self.jobs)

    @property
    def trimmed(self) -> int:
        return sum(job.trimmed for job in self.jobs)

    @property
    def events(self) -> int:
        return sum(job.events for job in self.jobs)


def prune(
    older_than: timedelta | None = None,
    job: str | None = None,
    dry_run: bool = False,
    batch: int = 200,
    *,
    seconds: float | None = None,
    actor: jobs.Actor = SYSTEM,
) -> Pruned:
    """Remove what is older than its retention, of one job or of all; in short transactions of up to `batch` runs.

    With `older_than` runs that ended longer ago go, whatever their retention says, and nothing else does. After
    `seconds` it stops with what it has. What a parent, a fork or an end hook at work needs stays.
    By the retention of all jobs, files that no run names go, too. Raises JobNotFound for a job that is neither
    registered nor has a run, InvalidOption.
    """
    _check(older_than, job, batch)
    runs_due, histories_due = _due(older_than, job)
    if dry_run:
        return _pruned(pruning.count_due(runs_due, histories_due), dry_run=True)
    ends_at = None if seconds is None else clock.monotonic() + seconds
    tally: Tally = Counter()
    complete = _repeat(lambda: pruning.remove_runs(runs_due, batch), tally, ends_at) and _repeat(
        lambda: pruning.remove_histories(histories_due, batch), tally, ends_at
    )
    if older_than is None and job is None:
        sweep_files(ends_at)
        forget_old()
    pruned = _pruned(tally, complete=complete)
    if tally or actor.kind != SYSTEM.kind:
        _write_audit(actor, pruned, older_than, job)
    return pruned


def remove_completed(batch: int = 200) -> int:
    """Delete completed runs of jobs that keep none, some seconds after their end; how many. Workers call it often."""
    due = _on_completion()
    if due is None or not Run.objects.filter(due).exists():
        return 0  # a look costs no write lock
    tally = pruning.remove_runs(due, batch)
    if tally:
        _write_audit(SYSTEM, _pruned(tally), None, None)
    return sum(count for (_, what), count in tally.items() if what == "runs")


def parse_age(text: str, option: str = "older_than") -> timedelta:
    """`90s`, `30m`, `12h`, `7d` or `2w`. Raises InvalidOption, which names the option."""
    found = re.fullmatch(r"(\d{1,6})([smhdw])", text.strip(), re.ASCII)
    if found is None:
        raise InvalidOption(option, "is no age", "Write a number and a unit: 90s, 30m, 12h, 7d or 2w.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _check(older_than: timedelta | None, job: str | None, batch: int) -> None:
    if older_than is not None and older_than < timedelta():
        raise InvalidOption("older_than", "is negative", "Give the time since a run's end, as in timedelta(days=7).")
    if batch < 1:
        raise InvalidOption("batch", "is less than 1", "Give how many runs a transaction may remove, as in 200.")
    if job is not None and job not in _policies() and not Run.objects.filter(job=job).exists():
        raise JobNotFound(job)


def _policies() -> dict[str, Retention]:
    """By job name; the version that was registered last speaks for runs of older ones too."""
    return {name: jobs.get_job(name).retention for name in {job.name for job in jobs.all_jobs()}}


def _due(older_than: timedelta | None, job: str | None) -> tuple[Q, Q]:
    """Which runs are old enough to go, and which to lose their histories."""
    of_job = Q() if job is None else Q(job=job)
    if older_than is not None:
        return of_job & Q(finished_at__lt=_before(older_than)), Q(pk__in=[])
    runs_due, completed = _by_policy(_run_age), _on_completion()
    if completed is not None:
        runs_due |= completed
    return of_job & runs_due, of_job & _by_policy(_event_age)


def _run_age(retention: Retention) -> timedelta:
    return timedelta(days=get_settings().run_ttl_days) if retention.run is None else retention.run


def _event_age(retention: Retention) -> timedelta:
    return timedelta(hours=get_settings().event_ttl_hours) if retention.events is None else retention.events


def _by_policy(age: Callable[[Retention], timedelta]) -> Q:
    """Ended longer ago than `age` of their job's retention. Jobs of the same age share a condition."""
    usual = age(Retention())
    special = {name: found for name, policy in _policies().items() if (found := age(policy)) != usual}
    due = Q(finished_at__lt=_before(usual)) & ~Q(job__in=sorted(special))
    for own in set(special.values()):
        names = sorted(name for name, found in special.items() if found == own)
        due |= Q(job__in=names, finished_at__lt=_before(own))
    # One bound over all of them, so that the index is read up to there and no further.
    return Q(finished_at__lt=_before(min([usual, *special.values()]))) & due


def _on_completion() -> Q | None:
    """Completed runs that are not kept; None if every job keeps them."""
    usual = get_settings().delete_on_completion
    chosen = {name: policy.delete_on_completion for name, policy in _policies().items()}
    odd = sorted(name for name, wanted in chosen.items() if wanted is not None and wanted != usual)
    if not usual and not odd:
        return None
    old = Q(status=RunStatus.COMPLETED, finished_at__lt=_before(ON_COMPLETION_GRACE))
    return old & (~Q(job__in=odd) if usual else Q(job__in=odd))


def _before(age: timedelta) -> datetime:
    try:
        return clock.now() - age
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def _repeat(remove: Callable[[], Tally], tally: Tally, ends_at: float | None) -> bool:
    """Until nothing is left: true; or the time is over: false. It rests as long as it worked, since SQLite lets its
    writers in one by one and not in turn."""
    while ends_at is None or clock.monotonic() < ends_at:
        began_at = clock.monotonic()
        removed = remove()
        if not removed:
            return True
        tally.update(removed)
        time.sleep(min(clock.monotonic() - began_at, _LONGEST_REST_SECONDS))
    return False


def _pruned(tally: Tally, *, dry_run: bool = False, complete: bool = True) -> Pruned:
    names = sorted({name for name, _ in tally})
    rows = (PrunedJob(name, tally[name, "runs"], tally[name, "trimmed"], tally[name, "events"]) for name in names)
    return Pruned(tuple(rows), dry_run=dry_run, complete=complete)


def _write_audit(actor: jobs.Actor, pruned: Pruned, older_than: timedelta | None, job: str | None) -> None:
    data = {
        "older_than_seconds": None if older_than is None else older_than.total_seconds(),
        "job": job,
        "runs": pruned.runs,
        "trimmed": pruned.trimmed,
        "events": pruned.events,
        "jobs": [asdict(row) for row in pruned.jobs],
    }
    write_audit(actor, "runs.prune", "runs", data)
