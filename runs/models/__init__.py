from runs.models.artifact import Artifact
from runs.models.audit import Audit
from runs.models.budget import Allowance, Spending
from runs.models.checkpoint import Checkpoint
from runs.models.event import Event
from runs.models.preset import Preset
from runs.models.queue import Queue
from runs.models.rollout import Rollout
from runs.models.run import ENDED, EndHook, Run, RunStatus, Took
from runs.models.schedule import CatchUp, Overlap, Schedule
from runs.models.signal import Signal, SignalKind
from runs.models.state import State
from runs.models.step import Attempt, AttemptOutcome, Step, StepStatus
from runs.models.usage import RunUsage, UsageHour
from runs.models.worker import Worker

__all__ = [
    "ENDED",
    "Allowance",
    "Artifact",
    "Attempt",
    "AttemptOutcome",
    "Audit",
    "CatchUp",
    "Checkpoint",
    "EndHook",
    "Event",
    "Overlap",
    "Preset",
    "Queue",
    "Rollout",
    "Run",
    "RunStatus",
    "RunUsage",
    "Schedule",
    "Signal",
    "SignalKind",
    "Spending",
    "State",
    "Step",
    "StepStatus",
    "Took",
    "UsageHour",
    "Worker",
]
