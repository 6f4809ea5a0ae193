"""Jobs of the pipeline API, read from runs, their steps and the definitions that they are pinned to."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flows.pipelines.errors import PipelineNotFound
from flows.pipelines.lines import BESIDE
from flows.pipelines.models import PipelineDefinition
from flows.pipelines.naming import place_of, result_name
from flows.pipelines.progress import Steps, describe_failure, read_result
from flows.pipelines.results import items_of
from flows.pipelines.spec import Mode, PipelineDef
from flows.pipelines.starting import JOB, definition_of
from flows.pipelines.wire import JobError, JobStatus, PipelineJob, StepExecution, StepState
from runs import jobs
from runs.errors import RunNotFound
from runs.models import Run, RunStatus, Step, StepStatus

__all__ = ["JOB", "STATUSES", "as_queued", "find_definition", "job_id_of", "jobs_of", "read_job_id"]

STATUSES: dict[str, JobStatus] = {
    RunStatus.QUEUED: "queued", RunStatus.RUNNING: "running", RunStatus.WAITING: "running",
    RunStatus.PAUSED: "running", RunStatus.COMPLETED: "succeeded", RunStatus.FAILED: "failed",
    RunStatus.CANCELLED: "cancelled",
}  # fmt: skip
_STEP_STATES: dict[str, StepState] = {
    StepStatus.RUNNING: "running", StepStatus.RETRYING: "running", StepStatus.COMPLETED: "success",
    StepStatus.FAILED: "failed", StepStatus.CANCELLED: "cancelled", StepStatus.SKIPPED: "skipped",
    StepStatus.STOPPED: "cancelled",
}  # fmt: skip


def job_id_of(run_id: UUID) -> str:
    return run_id.hex


def read_job_id(text: str) -> UUID:
    """A job's id, or its run's. Raises RunNotFound for anything else."""
    try:
        found = UUID(text)
    except ValueError:
        raise RunNotFound(text) from None
    if text.lower() not in (found.hex, str(found)):
        raise RunNotFound(text)
    return found


def as_queued(run: Run) -> PipelineJob:
    """What does not change in a job, as it was when it was queued."""
    given = _given(run)
    again = given.get("rerun") or {}
    return PipelineJob(
        id=job_id_of(run.id), pipeline_type=given["pipeline"], pipeline_version=given.get("version") or "",
        status="queued", mode=given.get("mode") or "async", created_at=run.created_at, updated_at=run.created_at,
        input=jobs.redact(given, run.secrets.get("input", [])).get("input"), step_executions=[],
        parent_job_id=UUID(again["of"]).hex if again else None, rerun_from_step=again.get("from_step"),
        reuse_upstream=bool(again.get("reuse_upstream")),
    )  # fmt: skip


def jobs_of(runs: Sequence[Run]) -> list[PipelineJob]:
    """Runs of pipelines as jobs, in the order given; a few queries for all of them."""
    found: dict[Any, PipelineDef | None] = {}
    for run in runs:
        if _pin(run) not in found:
            found[_pin(run)] = find_definition(run)
    pairs = [(run, found[_pin(run)]) for run in runs]
    rows = _rows_of(runs)
    outputs = {run.id: _outputs_of(run, made, rows[run.id]) for run, made in pairs}
    return [_job(run, made, rows[run.id], outputs[run.id]) for run, made in pairs]


def _pin(run: Run) -> Any:
    """What runs of the same definition share."""
    return _given(run).get("definition") or run.id


def find_definition(run: Run) -> PipelineDef | None:
    """None for a run that was started as a run of the job, by hand, with what no pipeline has: it fails."""
    try:
        return definition_of(run)
    except (PipelineDefinition.DoesNotExist, PipelineNotFound):
        return None


def _given(run: Run) -> dict[str, Any]:
    """What a run of the job `pipeline` was started with; its input was checked when it was."""
    return dict(run.input or {})


Row = Mapping[str, Any]


def _rows_of(runs: Iterable[Run]) -> dict[UUID, list[Row]]:
    fields = ("run_id", "name", "status", "error", "started_at", "finished_at")
    found: dict[UUID, list[Row]] = defaultdict(list)
    for row in Step.objects.filter(run__in=[run.id for run in runs]).order_by("id").values(*fields):
        found[row["run_id"]].append(row)
    return found


def _outputs_of(run: Run, definition: PipelineDef | None, rows: list[Row]) -> dict[str, Any]:
    """What steps gave whose items decide how many shards a later step has: outputs are large, so no others.

    In a job that succeeded every shard has ended, however many there are.
    """
    if definition is None or run.status == RunStatus.COMPLETED:
        return {}
    needed = {step_id for step in definition.steps if step.mode is Mode.PER_ITEM for step_id in step.depends_on}
    names = [row["name"] for row in rows if _is_result_of(row["name"], needed)]
    return dict(Step.objects.filter(run=run, name__in=names).values_list("name", "output")) if names else {}


def _is_result_of(name: str, step_ids: set[str]) -> bool:
    place = place_of(name)
    return place is not None and place.is_result and place.step_id in step_ids


def _job(run: Run, definition: PipelineDef | None, rows: list[Row], outputs: Mapping[str, Any]) -> PipelineJob:
    queued = as_queued(run)
    executions = _executions(run, definition, rows, outputs)
    times = [run.created_at, run.started_at, run.finished_at, *(row[at] for row in rows for at in _TIMES)]
    held = run.status in (RunStatus.WAITING, RunStatus.PAUSED)
    return queued.model_copy(update={
        "status": STATUSES[run.status], "reason": run.reason if held else "",
        "updated_at": max(at for at in times if at is not None), "step_executions": executions,
        "result": read_result(jobs.redact(run.output, run.secrets.get("output", []))), "error": _error(run),
    })  # fmt: skip


_TIMES = ("started_at", "finished_at")


def _error(run: Run) -> JobError | None:
    if run.status == RunStatus.CANCELLED:
        return JobError(code="cancelled", message=run.reason or "cancelled by user")
    return describe_failure(run.error) if run.status == RunStatus.FAILED else None


def _executions(
    run: Run, definition: PipelineDef | None, rows: list[Row], outputs: Mapping[str, Any]
) -> list[StepExecution]:
    """By the rows alone: the log is cleaned up long before them."""
    steps = Steps(definition, (_given(run).get("input") or {}).get("sources") or ())
    by_step: dict[str, list[tuple[int | None, Row]]] = defaultdict(list)
    for row in rows:
        place = place_of(row["name"])
        if place is None or place.step_id not in steps or place.part.startswith(BESIDE):
            continue
        progress = steps[place.step_id]
        if place.is_result or place.index not in progress.shards:
            progress.shards[place.index] = _STEP_STATES[row["status"]] if place.is_result else "running"
        by_step[place.step_id].append((place.index, row))
    for step_id, placed in by_step.items():
        for index, _ in placed:
            heads = items_of(outputs.get(result_name(step_id, index)))
            steps[step_id].heads[index] = heads
        _judge(run, steps, step_id, [row for _, row in placed])
    if run.status == RunStatus.CANCELLED:
        for step in steps.values():
            if step.status == "pending":
                step.end("cancelled", run.finished_at)
    return steps.executions()


def _judge(run: Run, steps: Steps, step_id: str, rows: list[Row]) -> None:
    step = steps[step_id]
    began: list[datetime] = [row["started_at"] for row in rows if row["started_at"]]
    ended: list[datetime] = [row["finished_at"] for row in rows if row["finished_at"]]
    step.status = _status(run, steps, step_id)
    step.started_at = min(began, default=None)
    if step.has_ended:
        step.finished_at = max(ended, default=None)
    # Of the results alone: a tool's failure may have been told to the model, which went on.
    failed = [row for row in rows if row["status"] == StepStatus.FAILED and _is_result_of(row["name"], {step_id})]
    if failed:
        step.error = describe_failure((failed[0]["error"] or {}) | {"step": failed[0]["name"]})


def _status(run: Run, steps: Steps, step_id: str) -> StepState:
    step = steps[step_id]
    states = set(step.shards.values())
    if "failed" in states and (not step.skips_failures or states == {"failed"}):
        return "failed"
    if states == {"skipped"} and None in step.shards:
        return "skipped"
    if run.has_ended and run.status != RunStatus.COMPLETED:
        return "success" if states <= {"success", "skipped", "failed"} and steps.is_whole(step_id) else "cancelled"
    return "success" if run.has_ended or ("running" not in states and steps.is_whole(step_id)) else "running"
