"""What the home page shows to one person: bounded in what it reads, however many runs there are."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from hitl import people
from hitl.models import Question
from perdure.dashboard.home.failing import Failing, read_failing
from perdure.dashboard.home.late import Late, read_late
from perdure.dashboard.home.offers import Offers, read_offers
from perdure.dashboard.home.pace import Pace, read_pace
from perdure.dashboard.seen import Seen
from perdure.dashboard.usage.today import Today, read_today
from perdure.dashboard.workers.fleet import Health, read_health
from runs.models import Run, RunStatus

SHOWN = 5
COUNTED = 1_000
"""No more runs are counted: then the page says that there are more."""
_LOOKED_AT = 100
_GOING = (RunStatus.RUNNING, RunStatus.WAITING, RunStatus.QUEUED, RunStatus.PAUSED)
SAMPLE = '''from runs.jobs import StepContext, job


@job("greet")
async def greet(step: StepContext, name: str) -> str:
    """Greet somebody."""
    return await step.run("greeting", lambda: f"Hello, {name}!")
'''


@dataclass(frozen=True)
class Decisions:
    """The questions that wait for the reader, the oldest first: it has waited longest."""

    questions: list[Question]
    count: int

    @property
    def more(self) -> int:
        return self.count - len(self.questions)

    @property
    def hint(self) -> str:
        return "in your inbox" if self.count else "nothing waits for you"


@dataclass(frozen=True)
class Home:
    """`mine` are the reader's own runs that still go, `others` those of others that they see, `going` how many of
    both there are, up to COUNTED."""

    decisions: Decisions
    failing: Failing
    late: list[Late]
    mine: list[Run]
    others: list[Run]
    finished: list[Run]
    going: int
    today: Today
    pace: Pace
    health: Health
    offers: Offers
    sample: str = SAMPLE

    @property
    def is_new(self) -> bool:
        """Nothing has ever run that the reader could see."""
        return not (
            self.going or self.finished or self.pace.runs or self.failing.runs or self.decisions.count
            or self.today.used.calls
        )  # fmt: skip

    @property
    def next(self) -> str:
        """What the reader can do now, the most urgent first."""
        if self.is_new:
            return "Start a job below: its page opens by itself."
        if self.decisions.count:
            return "Open the first question that waits for you and answer it."
        if self.failing.runs:
            return "Open what fails most often, see why, and retry it."
        if self.late:
            return "See below what is stuck or late, and why."
        return "Nothing waits for you: start a run, or watch those under way."

    @property
    def going_shown(self) -> str:
        return f"{COUNTED:,}+" if self.going >= COUNTED else str(self.going)


def read_home(user: Any) -> Home:
    seen = Seen(user)
    going = seen.ids(*_GOING, most=COUNTED)
    return Home(
        decisions=_read_decisions(user),
        failing=read_failing(seen),
        late=read_late(seen),
        mine=_mine(seen),
        others=_first(seen.runs(going[:_LOOKED_AT]).exclude(owner=user)),
        finished=_first(seen.runs(seen.ids(RunStatus.COMPLETED, most=SHOWN))),
        going=len(going),
        today=read_today(user),
        pace=read_pace(seen),
        health=read_health(user),
        offers=read_offers(user),
    )


def _read_decisions(user: Any) -> Decisions:
    waiting = people.inbox(user).select_related("run").order_by("id")
    return Decisions(list(waiting[:SHOWN]), waiting.count())


def _mine(seen: Seen) -> list[Run]:
    """Children are on the page of their parent."""
    return _first(seen.runs(seen.mine(*_GOING, most=_LOOKED_AT)).filter(parent=None))


def _first(runs: QuerySet[Run]) -> list[Run]:
    return list(runs.order_by("-id")[:SHOWN])
