"""One step beside a tab: `?step=` opens it, so each step has an address on each tab that shows steps."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from perdure.dashboard import rendering
from perdure.dashboard.flow.step import FlowStep, read_flow_step
from perdure.dashboard.paging import read_text
from perdure.dashboard.run.around import read_changed
from perdure.dashboard.run.rows import shown_status
from runs.jobs import redact, visible_runs
from runs.models import Attempt, Checkpoint, Event, Run, Step

EVENTS_SHOWN = 200


@dataclass(frozen=True)
class StepDetail:
    """All that is recorded of a step, redacted; `input` of a child run's step is what the child was started with."""

    step: Step
    status: str
    output: Any
    texts: list[tuple[str, str]]
    flow_step: FlowStep | None
    attempts: list[Attempt]
    checkpoints: list[Checkpoint]
    child: Run | None
    events: list[Event]
    changed_by: str | None
    """Who typed its result anew when the run was forked; None where nobody did."""

    @property
    def child_input(self) -> Any:
        return redact(self.child.input, self.child.secrets.get("input", [])) if self.child else None

    @property
    def usage(self) -> dict[str, Any]:
        """Numbers of all attempts together."""
        total: dict[str, Any] = {}
        for attempt in self.attempts:
            for name, value in (attempt.usage or {}).items():
                if isinstance(value, int | float) and not isinstance(value, bool):
                    total[name] = total.get(name, 0) + value
        return total


def read_drawer(request: HttpRequest, run: Run) -> StepDetail | None:
    """What `?step=` names; None without it, and for a step that the run does not have."""
    name = read_text(request.GET, "step")
    return read_step_detail(request.user, run, name) if name else None


def read_step_detail(user: Any, run: Run, name: str) -> StepDetail | None:
    """None for a step that the run does not have (yet)."""
    step = run.steps.filter(name=name).first()
    if step is None:
        return None
    output = redact(step.output, step.secrets)
    checkpoints = list(run.checkpoints.filter(step_name=name).order_by("number"))
    for checkpoint in checkpoints:
        checkpoint.state = redact(checkpoint.state, checkpoint.secrets)
    changed, changed_by = read_changed(run)
    return StepDetail(
        step=step,
        changed_by=(changed_by or "somebody") if name in changed else None,
        status=shown_status(step),
        output=output,
        texts=rendering.texts_in(output),
        flow_step=read_flow_step(run, name),
        attempts=list(run.attempts.filter(step_name=name).order_by("number")),
        checkpoints=checkpoints,
        child=_child(user, step),
        events=list(run.events.filter(step=name).order_by("sequence")[:EVENTS_SHOWN]),
    )


def _child(user: Any, step: Step) -> Run | None:
    held = step.output if isinstance(step.output, dict) else step.error
    child = held.get("run") if step.kind in ("child", "start_child") and isinstance(held, dict) else None
    try:
        return visible_runs(user).filter(pk=UUID(str(child))).first() if child else None
    except ValueError:
        return None  # a fork may have been given another output for the step
