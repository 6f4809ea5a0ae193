"""What stands round every tab of a run's page: its title, what it does now, its actions, and the way to the tabs."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from perdure.dashboard.access import get_run_or_404
from perdure.dashboard.run.next_step import next_said
from perdure.dashboard.run.offers import offers_of
from perdure.dashboard.run.rows import rfc3339, shown_status
from perdure.dashboard.run.sentences import status_sentence
from perdure.dashboard.run.tabs import TabLink, read_tabs
from perdure.dashboard.run.titles import title_of
from runs import clock
from runs.events.types import EventType, LiveType
from runs.jobs import may_change
from runs.models import Run, Step, StepStatus


@dataclass(frozen=True)
class Frame:
    """The run's own row as of `run.last_sequence`; `steps` are without their outputs and at least
    as new: those that may change, have ended lately or have streamed. `left` counts the others, `completed` of them
    those that completed.

    `whole` is false where the page's script reads again only the parts that the server writes: a tab then leaves its
    long lists out.
    """

    run: Run
    tab: str
    title: str
    sentence: str
    next: str
    may_change: bool
    whole: bool
    tabs: list[TabLink]
    steps: list[Step] = field(repr=False)
    left: int
    completed: int

    @property
    def badge(self) -> str:
        return self.run.status

    @property
    def progress(self) -> dict[str, Any] | None:
        return self.run.progress

    @property
    def event_types(self) -> str:
        return " ".join([*EventType, *LiveType])

    def as_state(self) -> dict[str, Any]:
        """What `reducer.js` begins with; times are RFC 3339.

        Steps that are done for good are only counted: there may be thousands, and no event changes them any more. Those
        that streamed are named, so that a late frame of one finds its end recorded.
        """
        return {
            "lastSequence": self.run.last_sequence,
            "status": self.run.status,
            "reason": self.run.reason,
            "progress": self.run.progress,
            "done": self.completed + sum(step.status == StepStatus.COMPLETED for step in self.steps),
            "left": self.left,
            "steps": [_step_state(step) for step in self.steps],
        }


_OVER = (StepStatus.COMPLETED, StepStatus.SKIPPED)
_LATELY = timedelta(seconds=30)
_DONE = Step(status=StepStatus.COMPLETED)
_PASSED = Step(status=StepStatus.SKIPPED)


def _step_state(step: Step) -> dict[str, Any]:
    state = {"name": step.name, "kind": step.kind, "status": shown_status(step), "attempts": step.attempts}
    if step.finished_at is None and step.started_at is not None:
        state["startedAt"] = rfc3339(step.started_at)
    if step.status == StepStatus.RETRYING and step.wake_at is not None:
        state["wakeAt"] = rfc3339(step.wake_at)
    return state


def read_frame(request: HttpRequest, run_id: UUID, tab: str) -> Frame:
    """Raises Http404 alike for a missing run and for another team's."""
    run = get_run_or_404(request.user, run_id)
    steps, completed, skipped = _read_steps(run)
    return Frame(
        run=run,
        tab=tab,
        title=title_of(run),
        sentence=status_sentence(run, [_DONE] * completed + [_PASSED] * skipped + steps),
        next=next_said(run, request.user, tab),
        may_change=may_change(request.user, run),
        whole="summary" not in request.GET,
        tabs=read_tabs(run, tab),
        steps=steps,
        left=completed + skipped,
        completed=completed,
    )


def _read_steps(run: Run) -> tuple[list[Step], int, int]:
    """Those that may change or have streamed, and how many of the others completed and were skipped.

    What ended lately is named too: an event of it may come, since the run's own row was read before.
    """
    over = Q(status__in=_OVER) & ~Q(kind="stream") & (Q(finished_at=None) | Q(finished_at__lt=clock.now() - _LATELY))
    counts = dict(run.steps.filter(over).order_by().values_list("status").annotate(Count("id")))
    steps = list(run.steps.exclude(over).defer("output").order_by("id"))
    return steps, counts.get(StepStatus.COMPLETED, 0), counts.get(StepStatus.SKIPPED, 0)


def show_tab(request: HttpRequest, frame: Frame, template: str, **context: Any) -> HttpResponse:
    """A tab's page; `template` extends `dashboard/run/frame.html`."""
    shared = {
        "frame": frame,
        "run": frame.run,
        "may_change": frame.may_change,
        "whole": frame.whole,
        "offers": offers_of(frame.run, frame.may_change),
    }
    return render(request, template, shared | context)
