"""What a run of a flow tells of itself, from its events and the names of its steps alone."""

from collections import Counter
from typing import Any

from flows.agents.execution.aborting import AbortKind
from flows.agents.naming import INSTRUCTION, READ_DEFINITION, place_of
from flows.agents.spec import ABORT
from runs.events.types import EventType
from runs.jobs import RunView
from runs.models import Event, Step


def told_of(view: RunView) -> dict[str, Any]:
    """Where the run stands, as JSON. Raises HistoryPruned.

    `{"flow", "version", "status", "iteration", "current", "path", "counts", "matched", "transitions", "kind",
    "reason"}`: `current` is the step of the newest iteration, None before the first. `transitions` are the data of the
    events, with those of sub-steps. `kind` and `reason` tell why a failed run was aborted.
    """
    transitions = transitions_of(view)
    path = path_of(view, transitions)
    own = [one for one in transitions if "sub" not in one]
    aborted = own[-1] if own and view.status == "failed" and own[-1].get("to") == ABORT else {}
    return {
        "flow": view.input.get("flow"), "version": view.input.get("version"), "status": view.status,
        "iteration": len(path), "current": path[-1] if path else None, "path": path, "counts": dict(Counter(path)),
        "matched": [
            {"step": one["from"], "condition": one["condition"], "method": one["method"]}
            for one in own
            if one.get("method") not in (None, "interrupt")
        ],
        "transitions": transitions, "kind": aborted.get("kind"), "reason": aborted.get("reason"),
    }  # fmt: skip


def path_of(view: RunView, transitions: list[dict[str, Any]]) -> list[str]:
    """The step of each iteration, in order; also of one that failed before anything of it was recorded."""
    names = Step.objects.filter(run=view.id).order_by("id").values_list("name", flat=True)
    steps = {one["iteration"]: one["from"] for one in transitions if one.get("kind") == AbortKind.STEP_ERROR}
    for name in names:
        place = place_of(name) if name != READ_DEFINITION else None
        if place is not None and place.part in ("", INSTRUCTION):
            steps[place.iteration] = place.step
    return [steps[number] for number in sorted(steps)]


def transitions_of(view: RunView) -> list[dict[str, Any]]:
    """The data of all `flow:transition`, in order, with the event's sequence."""
    rows = Event.objects.filter(run=view.id, type=EventType.FLOW_TRANSITION).order_by("sequence")
    return [{"sequence": sequence, **data} for sequence, data in rows.values_list("sequence", "data")]
