"""What operators ask first: is anything stuck, who holds which lease, what goes when, do calls of models work."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.db.models import Count

from flows.llm.checks import trouble_of
from flows.llm.models import ProviderProfile
from flows.llm.trying import AUDITED
from hitl.models import Question, QuestionStatus
from runs import clock, jobs
from runs.conf import get_settings
from runs.definitions import Retention
from runs.maintenance.invariants import INVARIANTS
from runs.maintenance.reasons import HELD, in_words
from runs.maintenance.stranded import Stranded, Unserved, count_stranded, count_unserved
from runs.models import Audit, Run, RunStatus, Worker

SHOWN = 20
"""Rows of each kind; the lists of the admin show the rest."""
LATE = timedelta(minutes=5)
"""A run that has been due for so long is worth a look."""


@dataclass(frozen=True, slots=True)
class Held:
    """So many runs that the engine paused for one reason."""

    reason: str
    words: str
    runs: int


@dataclass(frozen=True, slots=True)
class Stuck:
    """Due runs that nobody can take, by why, runs that a dead worker left, and runs that the engine holds."""

    versions: list[Stranded]
    queues: list[Unserved]
    left: list[UUID]
    """The first of them."""
    held: list[Held]

    @property
    def count(self) -> int:
        versions, queues = sum(row.runs for row in self.versions), sum(row.runs for row in self.queues)
        return versions + queues + sum(row.runs for row in self.held) + len(self.left)


@dataclass(frozen=True, slots=True)
class Leases:
    """Worker processes, those alive first. `more` than are shown."""

    workers: list[Worker]
    alive: int
    driving: int
    more: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long runs and events stay, jobs that say otherwise, the oldest run, and the last clean-up on record."""

    run_days: float
    event_hours: float
    on_completion: bool
    own: list[tuple[str, Retention]]
    oldest: Run | None
    last: Audit | None


@dataclass(frozen=True, slots=True)
class Profile:
    """`trouble` is why its calls fail, as far as this process can tell."""

    profile: ProviderProfile
    under_way: int
    trouble: str
    tried: Audit | None
    """The last call that an operator made to see whether it works."""


def read_stuck() -> Stuck:
    left = [row[0] for row in islice(INVARIANTS["left_by_the_dead"].query(None), SHOWN)]
    return Stuck(count_stranded(), count_unserved(), left, _held())


def _held() -> list[Held]:
    rows = Run.objects.filter(status=RunStatus.PAUSED, reason__in=HELD).order_by().values_list("reason")
    found = rows.annotate(runs=Count("pk")).order_by("reason")
    return [Held(reason, in_words(reason), runs) for reason, runs in found]


def read_leases() -> Leases:
    now = clock.now()
    workers = list(Worker.objects.with_driving().order_by("-expires_at"))
    alive = [worker for worker in workers if worker.expires_at > now]
    driving = sum(int(worker.driving) for worker in workers)  # type: ignore[attr-defined, misc]
    return Leases(workers[:SHOWN], len(alive), driving, max(0, len(workers) - SHOWN), now)


def read_keeping() -> Keeping:
    told = get_settings()
    # Ids grow with time: the first is the oldest.
    oldest = Run.objects.only("id", "job", "created_at").order_by("id").first()
    last = Audit.objects.filter(target="runs", action="runs.prune").order_by("-at").first()
    policies = sorted({job.name: job.retention for job in jobs.all_jobs()}.items())
    own = [(name, policy) for name, policy in policies if policy != Retention()]
    return Keeping(told.run_ttl_days, told.event_ttl_hours, told.delete_on_completion, own, oldest, last)


def longest_due() -> Run | None:
    """The queued run that has been due for longest, if that is worth a look."""
    due = Run.objects.filter(status=RunStatus.QUEUED, due_at__lte=clock.now() - LATE)
    return due.only("id", "job", "due_at").order_by("due_at").first()


def count_questions() -> int:
    return Question.objects.filter(status=QuestionStatus.OPEN).count()


def read_profiles() -> list[Profile]:
    rows = ProviderProfile.objects.annotate(calls=Count("slots"))[:SHOWN]
    tries = Audit.objects.filter(action=AUDITED, target__in=[row.pk for row in rows]).order_by("id")
    told = {tried.target: tried for tried in tries}
    return [Profile(row, row.calls, trouble_of(row.pk), told.get(row.pk)) for row in rows]
