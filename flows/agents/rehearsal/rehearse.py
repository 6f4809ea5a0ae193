"""One run of a flow from its start to its end, in this process."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Min

from flows.agents import starting
from flows.agents.rehearsal import people
from flows.agents.rehearsal.answering import refuse, settle
from flows.agents.spec import Flow
from hitl.models import Question, QuestionStatus
from runs import clock, jobs
from runs.models import Run, RunStatus
from runs.testing import advance, drain

LONGEST: Final = timedelta(days=1)
_LATER: Final = (RunStatus.QUEUED, RunStatus.WAITING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """How it ended. `reason` is the kind of the abort, None of a completed run; `message` says it in words."""

    status: str
    reason: str | None
    iterations: int
    path: list[str]
    matched: list[dict[str, Any]]
    message: str = ""

    @property
    def told(self) -> dict[str, Any]:
        """What `flow test --json` prints."""
        return {name: value for name, value in asdict(self).items() if name != "message"}


def rehearse(
    flow: Flow, task: str, *, answers: Iterable[str] = (), others: Mapping[str, Flow], **given: Any
) -> Rehearsed:
    """Start a run of the flow and drive it to its end. Needs a database that nobody else uses.

    `answers` are given in the order of the questions; one without is withdrawn. `others` may be called by the flow,
    `given` is for `starting.start`. Raises UnfitAnswer and what that raises.
    """
    people.invite([flow, *others.values()])
    started = starting.start(flow, task, called=others, **given)
    left = deque(answers)
    with clock.still():
        while not _drained(started.run.id).has_ended:
            if not (_answered(left) or _moved()):
                break
    return _rehearsed(started.run.id)


def _drained(run_id: UUID) -> Run:
    drain(timeout=LONGEST)
    return jobs.get(run_id)


def _answered(left: deque[str]) -> bool:
    """Is the oldest open question settled now?"""
    question = Question.objects.filter(status=QuestionStatus.OPEN).order_by("id").first()
    if question is None:
        return False
    if left:
        settle(question, left.popleft())
    else:
        refuse(question)
    return True


def _moved() -> bool:
    """Is it the time of whatever is due next, such as another attempt?"""
    due = Run.objects.filter(status__in=_LATER, due_at__gt=clock.now()).aggregate(at=Min("due_at"))["at"]
    if due is not None:
        advance(due - clock.now())
    return due is not None


def _rehearsed(run_id: UUID) -> Rehearsed:
    run = jobs.get(run_id)
    told = jobs.query(run_id, "flow")
    is_completed = run.status == RunStatus.COMPLETED
    return Rehearsed(
        status="completed" if is_completed else "aborted",
        reason=None if is_completed else told["kind"] or "runtime_error",
        iterations=told["iteration"], path=told["path"],
        matched=[{key: one[key] for key in ("step", "condition", "method")} for one in told["matched"]],
        message="" if is_completed else told["reason"] or _message(run),
    )  # fmt: skip


def _message(run: Run) -> str:
    if run.error:
        return str(run.error.get("message", ""))
    return f"The run is {run.status} ({run.reason or 'no reason given'}), and nothing is due any more."
