"""What the one who looks at a run can do next, in one sentence."""

from typing import Any

from flows.agents.execution.steering import LOOK
from flows.agents.naming import JOB as FLOW
from hitl import people
from hitl.models import QuestionStatus
from runs.jobs import why_queued
from runs.models import Run, RunStatus

_STRANDED = ("no_worker_for_version", "no_worker_for_queue")
NOTHING = "Nothing to do: it goes on by itself."
_ENDS = {
    RunStatus.COMPLETED: "Done: read the result, or start another.",
    RunStatus.FAILED: "Look at why it failed, then retry it.",
    RunStatus.CANCELLED: "It does nothing more. Start it again, or fork it from a step.",
}


def next_said(run: Run, user: Any, tab: str) -> str:
    """`tab` is the one that is open: a form stands below on the overview alone."""
    if run.has_ended:
        return _ENDS[RunStatus(run.status)]
    if run.status == RunStatus.PAUSED or run.pause_wanted:
        return "See to the cause, then resume it." if run.error else "Resume it when it may go on."
    if run.reason in _STRANDED or (run.status == RunStatus.QUEUED and not why_queued(run).takers):
        return "Start a worker that can take it; it goes on by itself then."
    if run.status != RunStatus.WAITING:
        return NOTHING
    return _asked(run, user, "below" if tab in ("overview", "questions") else "on the Overview tab")


def _asked(run: Run, user: Any, place: str) -> str:
    if run.questions.filter(status=QuestionStatus.OPEN).exists():
        mine = people.inbox(user).filter(run=run).exists()
        return f"Answer the question {place}." if mine else "Nothing to do for you: others are asked."
    kind, _, name = run.reason.partition(" ")
    if run.job == FLOW and name.startswith(LOOK):
        return f"Let it go on with the buttons {place}."
    return f"Send the signal when it is time, with the link {place}." if kind == "signal" else NOTHING
