"""The engine's own invariants, in the order in which people read them; docs/reference/invariants.md says more."""

from runs.engine.store import repairs
from runs.maintenance.invariants import of_artifacts, of_budgets, of_families, of_history, of_runs
from runs.maintenance.invariants.registry import INVARIANTS, Invariant, register

__all__ = ["INVARIANTS"]

_OWN = (
    Invariant(
        "running_without_lease", "A running run names the worker that drives it.",
        of_runs.running_without_lease, repairs.requeue,
    ),
    Invariant(
        "left_by_the_dead", "What a dead worker drove goes on elsewhere within a minute, if a worker can take it.",
        of_runs.left_by_the_dead,
    ),
    Invariant(
        "lease_without_work", "A run that is queued, waiting, paused or ended names no worker, but for its end hook.",
        of_runs.lease_without_work, repairs.drop_lease,
    ),
    Invariant(
        "idle_without_wake", "A queued run has a time at which it is due; a waiting one has that, or waits in a step.",
        of_runs.idle_without_wake, repairs.wake_up,
    ),
    Invariant(
        "timer_not_set", "A waiting run is due when the first of its timers is.",
        of_history.timer_not_set, repairs.wake_up,
    ),
    Invariant(
        "signal_slept_through", "A signal or update that comes to a waiting run wakes it.",
        of_history.signal_slept_through, repairs.wake_up,
    ),
    Invariant(
        "end_half_written", "A run has a time of its end if it has ended, and is not due after it.",
        of_runs.end_half_written,
    ),
    Invariant(
        "open_after_end", "An ended run has no step that runs or is to be tried again.", of_history.open_after_end,
    ),
    Invariant(
        "written_after_end", "The last event of a completed or cancelled run is its end.",
        of_history.written_after_end,
    ),
    Invariant(
        "gap_in_events", "The events of a run have each number from the first held to the last, and no other.",
        of_history.gap_in_events,
    ),
    Invariant(
        "step_committed_twice", "The log holds at most one result of a step that was not called off.",
        of_history.step_committed_twice,
    ),
    Invariant(
        "signal_taken_by_nobody", "A consumed signal names a step that its run has.",
        of_history.signal_taken_by_nobody,
    ),
    Invariant(
        "parent_not_told", "The end of a child is told to its parent within a minute.", of_families.parent_not_told,
    ),
    Invariant(
        "parent_not_woken", "No run waits for a child that ended more than a minute ago.",
        of_families.parent_not_woken, repairs.wake_up,
    ),
    Invariant(
        "child_outlives_cancel", "The children of a cancelled run are cancelled within a minute, unless detached.",
        of_families.child_outlives_cancel,
    ),
    Invariant(
        "end_hook_armed", "The end hook of an ended run is due, or has been called.",
        of_runs.end_hook_armed, repairs.make_hook_due,
    ),
    Invariant(
        "end_hook_not_called", "An end hook is called within a minute, or a worker is at it.",
        of_runs.end_hook_not_called,
    ),
    Invariant(
        "spent_otherwise", "What a run has spent of its budget is what its attempts have used.",
        of_budgets.spent_otherwise, of_budgets.count_again,
    ),
    Invariant(
        "artifact_of_no_step", "What a run has saved was saved by a step that it has.",
        of_artifacts.artifact_of_no_step,
    ),
    Invariant(
        "artifact_without_file", "The storage has the file of what a run has saved.",
        of_artifacts.artifact_without_file,
    ),
    Invariant(
        "no_worker_for_version", "Of each run that has been due for a minute, a worker has the version.",
        of_runs.no_worker_for_version,
    ),
    Invariant(
        "no_worker_for_queue",
        "Of each run that has been due for a minute, a worker with its version serves the queue.",
        of_runs.no_worker_for_queue,
    ),
)  # fmt: skip

for _one in _OWN:
    register(_one)
