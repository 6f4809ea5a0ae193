"""A run in the words of the older front: a workflow with its tasks and variables."""

from typing import Any

from perdure.agui.turns import find_protocol_runs
from runs.errors import HistoryPruned, RunNotFound
from runs.jobs import RunView, StepView
from runs.models import Run, RunStatus

STATUS = {
    RunStatus.QUEUED: "pending",
    RunStatus.RUNNING: "running",
    RunStatus.WAITING: "waiting",
    RunStatus.PAUSED: "waiting",
    RunStatus.COMPLETED: "completed",
    RunStatus.FAILED: "faulted",
    RunStatus.CANCELLED: "cancelled",
}
TASKS_AT_MOST = 200


def shown_run(user: Any, run_id: str) -> dict[str, Any]:
    """`{workflowName, status, input, contextVariables, currentTask?, completedTasks}`; the newest tasks of many.

    Secrets are masked. Of a run whose log was cleaned up there are neither variables nor tasks. Raises RunNotFound.
    """
    found = find_protocol_runs(user, run_id)[-1]
    run = Run.objects.filter(agui_turn=found.turn).first()
    if run is None:
        raise RunNotFound(run_id)
    view = RunView(run)
    try:
        variables, steps = view.state, list(view.steps.values())
    except HistoryPruned:
        variables, steps = {}, []
    done = [_task(one) for one in steps if one.status == "completed"][-TASKS_AT_MOST:]
    current = next((_task(one) for one in reversed(steps) if one.finished_at is None), None)
    name = run.labels.get("pipeline") or run.labels.get("flow") or run.job
    shown = {
        "workflowName": name, "status": STATUS[RunStatus(run.status)],
        "input": view.input, "contextVariables": variables, "completedTasks": done,
    }  # fmt: skip
    return shown | ({"currentTask": current} if current is not None and not view.has_ended else {})


def _task(step: StepView) -> dict[str, Any]:
    shown = {"name": step.name, "status": step.status}
    return shown | ({"output": step.output} if step.output is not None else {})
