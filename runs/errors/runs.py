"""What runs are refused for, and fail with."""

from typing import Any

from runs.errors.base import RunsError


class RunNotFound(RunsError):
    code = "run_not_found"

    def __init__(self, run_id: object) -> None:
        super().__init__(f"There is no run {str(run_id)[:64]!r}. Check its id; a deleted run does not come back.")


class RunNotFinished(RunsError):
    code = "run_not_finished"

    def __init__(self, run_id: object, status: str) -> None:
        super().__init__(f"Run {run_id} is {status}. Cancel it or wait for its end, then delete it.")


class RunAlreadyEnded(RunsError):
    code = "run_already_ended"

    def __init__(self, run_id: object, status: str, action: str) -> None:
        super().__init__(f"Run {run_id} is {status} and cannot be {action}. Start a new run instead.")


class RunNotPaused(RunsError):
    code = "run_not_paused"

    def __init__(self, run_id: object, status: str) -> None:
        super().__init__(f"Run {run_id} is {status}, so there is nothing to resume. Resume only a paused run.")


class RunNotFailed(RunsError):
    code = "run_not_failed"

    def __init__(self, run_id: object, status: str, why: str) -> None:
        super().__init__(f"Run {run_id} ({status}) {why} and cannot be retried. Start it again as a new run instead.")


class RunWithoutBudget(RunsError):
    code = "run_without_budget"

    def __init__(self, run_id: object) -> None:
        super().__init__(f"Run {run_id} has no budget, so it needs no more of it. Give one when you start a run.")


class MayNotGrant(RunsError):
    code = "may_not_grant"

    def __init__(self, run_id: object) -> None:
        super().__init__(
            f"You may not grant more budget to run {run_id}: who started a run does not, and its team or an "
            "administrator does. Ask one of them."
        )


class IdempotencyConflict(RunsError):
    code = "idempotency_conflict"

    def __init__(self, key: str, run_id: object) -> None:
        self.run_id = str(run_id)
        super().__init__(
            f"Idempotency key {key!r} was used for run {run_id} with other input. Use a new key for new input."
        )

    @property
    def details(self) -> dict[str, Any]:
        return {"run_id": self.run_id}


class HistoryPruned(RunsError):
    """A cursor points before the first event that is still held, or an `action` needs what is no longer there."""

    code = "history_pruned"

    def __init__(self, run_id: object, first_sequence: int, action: str = "") -> None:
        self.first_sequence, self.action = first_sequence, action
        remedy = f"Read on with after={first_sequence - 1}."
        if action:
            remedy = f"So it cannot be {action}; start it again as a new run."
        super().__init__(f"The events of run {run_id} before {first_sequence} are pruned. {remedy}")

    @property
    def details(self) -> dict[str, Any]:
        return {"first_sequence": self.first_sequence}


class RunTimeout(RunsError):
    code = "run_timeout"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The run worked longer than its {seconds:g} s. Raise the job's timeout or split the job.")


class NondeterminismError(RunsError):
    """The code no longer matches the run's history; pauses the run and touches nothing."""

    code = "nondeterminism"

    def __init__(self, expected: str, met: str) -> None:
        self.expected, self.met = expected, met
        super().__init__(
            f"The run's history has {expected} where the code now has {met}. "
            "Deploy the code that the run began with and resume it, or start a new run."
        )


class InvalidState(RunsError):
    code = "invalid_state"

    def __init__(self, problem: str) -> None:
        super().__init__(f"The state cannot be changed so: {problem}. Give a JSON object, or a patch that fits it.")
