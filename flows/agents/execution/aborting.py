"""How a run of a flow ends before its flow does, and how a retry of the run goes on."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from flows.agents import naming
from flows.agents.execution.scene import Scene
from flows.agents.spec import ABORT
from runs.errors import RunsError, StepFailed
from runs.events.types import EventType
from runs.models import Event


class AbortKind(StrEnum):
    """Why a flow was aborted."""

    INTERRUPT = "interrupt"
    ITERATION_LIMIT = "iteration_limit"
    LOOP_DETECTED = "loop_detected"
    BLOCKED = "blocked"
    STEP_ERROR = "step_error"
    USER_INPUT_CANCELLED = "user_input_cancelled"
    STEP_TRANSITION = "step_transition"
    RUNTIME_ERROR = "runtime_error"
    RULE_NO_MATCH = "rule_no_match"


_REMEDIES = {
    AbortKind.ITERATION_LIMIT: "Retry the run to be asked again, or raise max_steps in the flow.",
    AbortKind.LOOP_DETECTED: "Retry the run to go on all the same, or mend the rules that lead back to the step.",
    AbortKind.BLOCKED: "Retry the run to be asked again.",
    AbortKind.USER_INPUT_CANCELLED: "Retry the run to be asked again.",
    AbortKind.STEP_ERROR: "Mend the cause and retry the run.",
    AbortKind.STEP_TRANSITION: "Retry the run to have the step done again.",
    AbortKind.RULE_NO_MATCH: "Retry the run to have it decided again, or give the step a rule or a default.",
}


class FlowAborted(RunsError):
    """The run fails with it. `kind` and `reason` stand in its last `flow:transition` too."""

    code = "flow_aborted"
    is_retryable = False

    def __init__(self, kind: AbortKind, reason: str) -> None:
        self.kind, self.reason = kind, reason
        end = "" if reason.endswith((".", "?", "!")) else "."
        super().__init__(f"{reason}{end} {_REMEDIES.get(kind, 'Mend the cause and retry the run.')}")


async def abort(
    scene: Scene, kind: AbortKind, reason: str, *, at: str, repeated: int = 0, failed_steps: tuple[str, ...] = (),
    told: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Fail the run. Returns in a retry of the run, and then the caller goes on in place of giving up.

    `at` is the name of the iteration's work. With `failed_steps`, recorded in the job's own branch, it never returns:
    a retry does those again. Without them a step of its own fails, since only a failed step is taken up by a retry.
    `told` is what the transition tells besides.
    """
    place = naming.place_of(at)
    data = {"iteration": place.iteration, "from": place.step} if place is not None else {}
    data |= {**(told or {}), "to": ABORT, "kind": kind.value, "reason": reason}
    scene.step.note(EventType.FLOW_TRANSITION, data, step=at)
    error = FlowAborted(kind, reason)
    if failed_steps:
        error.failed_steps = failed_steps
        raise error

    name = naming.part(at, naming.ABORT, repeated)
    try:
        await scene.step.options(retries=1).run(name, _refuse_until_retried, scene.step.run_id, name, error)
    except StepFailed as exc:
        error.failed_steps = exc.failed_steps
        raise error from None


def _refuse_until_retried(run_id: UUID, name: str, error: FlowAborted) -> None:
    # not the number of the attempt: one that a worker died in counts too, and nobody has retried the run then
    retries = Event.objects.filter(run=run_id, type=EventType.RUN_RETRY).values_list("data", flat=True)
    if not any(name in data.get("steps", ()) for data in retries):
        raise error
