"""What a run waits for, its state, and the runs around it: parent, children, and the one that it was forked from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from flows.agents.execution.steering import LOOK
from flows.agents.naming import JOB as FLOW
from perdure.dashboard.rows import WAITS
from perdure.dashboard.run_titles import QUESTION
from runs.events.types import EventType
from runs.jobs import visible_runs
from runs.models import Event, Run, State, Step, StepStatus

CHILDREN_SHOWN = 100


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
    """`parent` and `forked_from` are None, too, where the reader may not see them; so are children left out."""

    waits: list[Wait]
    state: dict[str, Any] | None
    parent: Run | None
    forked_from: Run | None
    children: list[Run]
    more_children: bool

    @property
    def signals(self) -> list[str]:
        """Names of the signals that would be consumed now."""
        return [name for wait in self.waits for name in wait.signals]


def read_around(user: Any, run: Run) -> Around:
    """Reads a few rows; of others' runs nothing is shown."""
    visible = visible_runs(user)
    children = list(visible.filter(parent=run).order_by("id")[: CHILDREN_SHOWN + 1])
    related = {one.pk: one for one in visible.filter(pk__in=[run.parent_id, run.forked_from_id])}
    state = State.objects.filter(run=run).first()
    return Around(
        waits=[] if run.has_ended else _read_waits(run, visible),
        state=state.value if state else None,
        parent=related.get(run.parent_id) if run.parent_id else None,
        forked_from=related.get(run.forked_from_id) if run.forked_from_id else None,
        children=children[:CHILDREN_SHOWN],
        more_children=len(children) > CHILDREN_SHOWN,
    )


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
