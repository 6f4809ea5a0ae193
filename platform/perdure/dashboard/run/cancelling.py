"""How far a cancel has come: who asked for it, that it is recorded, and what still has to stop."""

from dataclasses import dataclass
from datetime import datetime

from runs.events.types import EventType
from runs.models import ENDED, EndHook, Run, RunStatus


@dataclass(frozen=True)
class Stage:
    """`is_done` tells what has happened from what is still to come."""

    label: str
    text: str
    at: datetime | None = None
    is_done: bool = True


@dataclass(frozen=True)
class Cancelling:
    stages: list[Stage]

    @property
    def is_over(self) -> bool:
        return all(stage.is_done for stage in self.stages)


def read_cancelling(run: Run) -> Cancelling | None:
    """None for a run that is not cancelled, or whose log is gone.

    Asking and recording are one transition here: from that moment the run's worker can write nothing more. What comes
    after it is its children, cancelled by transitions of their own, and the job's `on_end`.
    """
    if run.status != RunStatus.CANCELLED:
        return None
    event = run.events.filter(type=EventType.RUN_CANCEL).order_by("-sequence").first()
    if event is None:
        return None
    actor = event.data.get("actor") or {}
    asked = f"By {actor.get('name') or 'the engine'}."
    if reason := event.data.get("reason"):
        asked = f"{asked} Reason: {reason}"
    held = "It had not begun." if run.started_at is None else "Whatever a worker still does for it is not recorded."
    return Cancelling(
        [
            Stage("Requested", asked, event.created_at),
            Stage("Acknowledged", f"Recorded as event {event.sequence}. {held}", event.created_at),
            _stopped(run),
        ]
    )


def _stopped(run: Run) -> Stage:
    children = Run.objects.filter(parent=run, is_detached=False)
    number, ended = children.count(), children.filter(status__in=ENDED).count()
    said = [f"{ended} of {number} child runs have ended." if number else ""]
    said.append(_HOOKS.get(EndHook(run.end_hook), ""))
    is_done = ended == number and run.end_hook != EndHook.DUE
    text = " ".join(one for one in said if one) or "Nothing else had to stop."
    return Stage("Stopped" if is_done else "Stopping", text, run.finished_at if not number else None, is_done)


_HOOKS = {
    EndHook.DUE: "The clean-up of its job (on_end) has not run yet.",
    EndHook.DONE: "The clean-up of its job (on_end) has run.",
    EndHook.FAILED: "The clean-up of its job (on_end) failed; the operators' log says why.",
}
