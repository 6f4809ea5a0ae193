"""Where a run stands, in the words of the workflow API."""

from typing import Any

from runs import jobs
from runs.api.workflow_shapes import (
    MOST_STEPS,
    STATUSES,
    AgentEdit,
    AgentStep,
    PendingSignal,
    Said,
    WorkflowView,
    milliseconds,
)
from runs.events.types import EventType
from runs.models import Event, Run, Signal, SignalKind, Step, StepStatus


def read_view(run: Run, result: Any) -> WorkflowView:
    """A few reads, of the newest steps only. `result` is shown as it is."""
    steps = jobs.newest_steps(run, MOST_STEPS)
    reading = jobs.read_steps(steps)
    last = Event.objects.filter(run=run).order_by("-sequence").values_list("created_at", flat=True).first()
    progress = run.progress or {}
    return WorkflowView(
        workflowId=run.id, status=STATUSES[run.status], currentIteration=progress.get("current"),
        maxIterations=progress.get("total"), agentSteps=[_step(one, reading) for one in steps],
        agentEdits=[AgentEdit(**one) for one in reading.edits],
        conversationHistory=[*_task(run), *(Said(**one) for one in reading.conversation)],
        pendingSignals=[] if run.has_ended else [*_awaited(run), *_received(run)],
        lastUpdate=milliseconds(last or run.finished_at or run.created_at), result=result,
    )  # fmt: skip


def _step(step: jobs.StepView, reading: jobs.Reading) -> AgentStep:
    call = reading.calls.get(step.name, {})
    return AgentStep(
        name=step.name, status=step.status, tool=call.get("tool"), params=call.get("params"),
        startedAt=milliseconds(step.started_at) if step.started_at else None,
        finishedAt=milliseconds(step.finished_at) if step.finished_at else None,
    )  # fmt: skip


def _task(run: Run) -> list[Said]:
    shown = jobs.redact(run.input, run.secrets.get("input", []))
    task = shown.get("task") if isinstance(shown, dict) else None
    return [Said(role="user", content=task)] if isinstance(task, str) and task else []


def _awaited(run: Run) -> list[PendingSignal]:
    """Only the event of its beginning names the signals of a wait."""
    waits = Step.objects.filter(run=run, status=StepStatus.RUNNING, kind="signal").values_list("name", flat=True)
    names = list(waits)
    begun = Event.objects.filter(run=run, type=EventType.STEP_START, step__in=names).order_by("sequence")
    found = [name for event in (begun if names else ()) for name in event.data.get("signals", [])]
    return [PendingSignal(signalName=name, status="AWAITED") for name in dict.fromkeys(found)]


def _received(run: Run) -> list[PendingSignal]:
    waiting = Signal.objects.filter(run=run, kind=SignalKind.SIGNAL, consumed_by=None).order_by("id")[:MOST_STEPS]
    return [
        PendingSignal(signalName=one.name, status="RECEIVED", receivedAt=milliseconds(one.created_at))
        for one in waiting
    ]
