"""What a run waits for, and where it came from: its parent, and the run that it was forked from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from flows.agents.execution.steering import LOOK
from flows.agents.naming import JOB as FLOW
from perdure.dashboard.run.rows import WAITS
from perdure.dashboard.run.titles import QUESTION
from runs.events.types import EventType
from runs.jobs import visible_runs
from runs.models import Audit, Event, Run, Step, StepStatus


@dataclass(frozen=True)
class Wait:
    """One wait: `signals` are the names that end it, `child` is a run that the reader may see."""

    step: str
    kind: str
    signals: list[str]
    child: Run | None
    until: datetime | None


@dataclass(frozen=True)
class Around:
    """`parent` and `forked_from` are None, too, where the reader may not see them. `changed`: the steps whose results
    were typed anew when it was forked, and `changed_by` who did that."""

    waits: list[Wait]
    parent: Run | None
    forked_from: Run | None
    changed: list[str]
    changed_by: str


def read_around(user: Any, run: Run) -> Around:
    """Reads a few rows; of others' runs nothing is shown."""
    visible = visible_runs(user)
    changed, changed_by = read_changed(run)
    related = {one.pk: one for one in visible.filter(pk__in=[run.parent_id, run.forked_from_id])}
    return Around(
        waits=[] if run.has_ended else _read_waits(run, visible),
        parent=related.get(run.parent_id) if run.parent_id else None,
        forked_from=related.get(run.forked_from_id) if run.forked_from_id else None,
        changed=changed,
        changed_by=changed_by,
    )


def read_changed(run: Run) -> tuple[list[str], str]:
    """From the audit, which outlives the events."""
    if not run.forked_step:
        return [], ""
    row = Audit.objects.filter(target=str(run.pk), action="run.fork").first()
    return (row.data.get("changed", []), row.actor_name) if row is not None else ([], "")


def _read_waits(run: Run, visible: QuerySet[Run]) -> list[Wait]:
    steps = list(Step.objects.filter(run=run, status=StepStatus.RUNNING, kind__in=WAITS).order_by("id"))
    listening = [step.name for step in steps if step.kind == "signal"]
    # only the event of its beginning names the signals of a wait
    begun = Event.objects.filter(run=run, type=EventType.STEP_START, step__in=listening) if listening else ()
    names = {event.step: event.data.get("signals", []) for event in begun}
    ids = {step.name: step.output["run"] for step in steps if step.kind == "child" and step.output}
    children = {str(child.pk): child for child in visible.filter(pk__in=ids.values())}
    shown = (QUESTION, LOOK) if run.job == FLOW else (QUESTION,)
    return [
        Wait(step.name, step.kind, names.get(step.name, []), children.get(ids.get(step.name, "")), step.wake_at)
        for step in steps
        # the question itself is shown, and so is a flow's wait for a look
        if not any(name.startswith(shown) for name in names.get(step.name, []))
    ]
