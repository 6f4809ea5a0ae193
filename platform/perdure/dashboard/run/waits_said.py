"""What a waiting run waits for, and since when."""

from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString

from flows.agents.execution.steering import LOOK
from flows.agents.naming import JOB as FLOW
from hitl.asking import GROUP
from hitl.models import Kind, Question, QuestionStatus
from perdure.dashboard.inbox.question_page import put_to
from perdure.dashboard.run.moments import clock_time, time_left
from perdure.dashboard.run.rows import WAITS
from runs import clock
from runs.events.types import EventType
from runs.models import Run, Step, StepStatus

NOTHING = SafeString("")
_ASKED = {
    Kind.APPROVAL: "approval",
    Kind.INPUT: "input",
    Kind.CHOICE: "a choice",
    Kind.TOOL_CALL: "approval of a tool call",
    Kind.LIMIT: "a decision about its limit",
}
_WAITS = {
    "timer": "a timer",
    "signal": "a signal",
    "child": "a child run",
    "retry": "the next attempt of a step",
    "budget tokens": "more tokens: its budget is spent",
    "budget cost": "more money: its budget is spent",
    "budget steps": "more steps: its budget is spent",
    "budget active_seconds": "more time to work: its budget is spent",
}
_NAMED = {"signal": "signal", "child": "a child run of", "sleep": "the end of its sleep"}


def wait_said(run: Run, steps: list[Step]) -> SafeString:
    """The whole sentence of a waiting run."""
    kind, _, name = run.reason.partition(" ")
    if said := _questions_said(run):
        return said
    if run.job == FLOW and kind == "signal" and name.startswith(LOOK):
        return format_html("Waiting for somebody to let iteration {} begin{}.", name.removeprefix(LOOK), _since(steps))
    retrying = _soonest([step for step in steps if step.status == StepStatus.RETRYING])
    if kind == "retry" and retrying is not None:
        return format_html("{}.", retry_said(run, retrying))
    what = f"{_NAMED[kind]} {name}" if name and kind in _NAMED else _WAITS.get(run.reason, run.reason)
    return format_html(
        "Waiting for {}{}{}.", what or "something to happen", _since(steps), _until(run, counts=kind == "sleep")
    )


def retry_said(run: Run, step: Step) -> SafeString:
    """ "Retry 2 of 5 of step fetch in 40 s"; how many there may be is what the last failure recorded."""
    if not step.failures:
        return format_html("Trying {} again in a moment", step.name)
    failed = run.events.filter(type=EventType.STEP_RETRY, step=step.name).order_by("-sequence").first()
    most = failed.data.get("max_attempts") if failed is not None else None
    of = f" of {most - 1}" if isinstance(most, int) else ""
    soon = format_html("in {}", time_left(step.wake_at)) if step.wake_at else "in a moment"
    return format_html("Retry {}{} of step {} {}", step.failures, of, step.name, soon)


def _questions_said(run: Run) -> SafeString:
    """Of a run that waits for people: what is asked, of whom, and since when; the one that was asked first."""
    asked = _open_questions(run)
    first = asked.first()
    if first is None:
        return NOTHING
    more = asked.count() - 1
    others = format_html(", and {} more", more) if more else NOTHING
    # the run itself wakes for each reminder too, which is nobody's deadline
    until = format_html(", until {}", clock_time(first.deadline)) if first.deadline else NOTHING
    return format_html(
        "Waiting for {} by {} since {}{}{}.",
        _ASKED[Kind(first.kind)],
        ", ".join(name.removeprefix(GROUP) for name in put_to(first)),
        clock_time(first.created_at),
        until,
        others,
    )


def _open_questions(run: Run) -> QuerySet[Question]:
    return run.questions.filter(status=QuestionStatus.OPEN).order_by("id")


def _since(steps: list[Step]) -> SafeString:
    waiting = [step for step in steps if step.status == StepStatus.RUNNING and step.kind in WAITS and step.started_at]
    begun = min((step.started_at for step in waiting if step.started_at), default=None)
    return format_html(" since {}", clock_time(begun)) if begun else NOTHING


def _until(run: Run, counts: bool) -> SafeString:
    if run.due_at is None or run.due_at <= clock.now():
        return NOTHING
    left = format_html(", {} left", time_left(run.due_at)) if counts else NOTHING
    return format_html(", until {}{}", clock_time(run.due_at), left)


def _soonest(steps: list[Step]) -> Step | None:
    return min(steps, key=lambda step: (step.wake_at is None, step.wake_at), default=None)
