"""What steps fail with."""

from typing import Any

from runs.errors.base import RunsError


class StorageError(RunsError):
    """A value that cannot be stored; never retried, because the next attempt would meet it again."""

    code = "storage_error"

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where} cannot be stored: {problem}. Return JSON-compatible data (see the payload limits).")


class PayloadTooLarge(StorageError):
    code = "payload_too_large"

    def __init__(self, where: str, size: int, limit: int) -> None:
        RunsError.__init__(
            self,
            f"{where} is {size} bytes and the limit is {limit}. "
            "Store a reference to the data, or raise RUNS_MAX_PAYLOAD_BYTES.",
        )


class StepNameReused(RunsError):
    code = "step_name_reused"

    def __init__(self, name: str) -> None:
        super().__init__(f"Step name {name!r} is used twice in this run. Put the index in it, as in f'{name}-{{i}}'.")


class InvalidStepName(RunsError):
    code = "invalid_step_name"

    def __init__(self, name: object) -> None:
        super().__init__(f"{str(name)[:100]!r} is no step name. Use 1 to 200 printable characters.")


class StepOutsideJob(RunsError):
    code = "step_outside_job"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Step {name!r} was called inside a step function or a task of one. "
            "Call step.* only from the job's own code; a step function returns its data."
        )


class StepFailed(RunsError):
    """A step that used up its attempts; the same error live and on replay.

    `error` is `{"type", "message", "traceback"?}` of the last attempt; live, `__cause__` is the original exception.
    """

    code = "step_failed"

    def __init__(self, step: str, error: dict[str, Any]) -> None:
        self.step = step
        self.failed_steps = (step,)
        self.error = error
        super().__init__(
            f"Step {step!r} failed with {error.get('type')}: {str(error.get('message')).removesuffix('.')}. "
            "Read its attempts, mend the cause and retry the run."
        )


class BudgetExceeded(RunsError):
    """Nothing more is granted, so the step did not begin; the same error live and on replay.

    `error` is `{"type", "code", "message", "limit", "spent", "hard"}`.
    """

    code = "budget_exceeded"

    def __init__(self, step: str, error: dict[str, Any]) -> None:
        self.step, self.error = step, error
        self.failed_steps = (step,)
        super().__init__(str(error["message"]))

    @classmethod
    def of(cls, step: str, limit: str, spent: float, hard: float) -> "BudgetExceeded":
        message = (
            f"Step {step!r} did not begin: {spent:g} of {hard:g} {limit.replace('_', ' ')} are spent, and more was "
            "denied. Retry the run to ask again, or start it with a larger budget."
        )
        error = {"type": cls.__name__, "code": cls.code, "message": message}
        return cls(step, error | {"limit": limit, "spent": spent, "hard": hard})


class ChildFailed(RunsError):
    """A child run that did not complete; `run_id`, `status` (failed or cancelled) and `message` say more."""

    code = "child_failed"

    def __init__(self, job: str, run_id: str, status: str, message: str) -> None:
        self.run_id, self.status, self.message = run_id, status, message
        super().__init__(f"Child run {run_id} of job {job!r} is {status}: {message}. Look at it, or give a substitute.")


class StepTimeout(RunsError):
    code = "step_timeout"

    def __init__(self, step: str, seconds: float) -> None:
        super().__init__(f"Step {step!r} ran longer than its {seconds:g} s. Raise its timeout or split the step.")


class TimerAroundWait(RunsError):
    code = "timer_around_wait"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"A timer of the job's own code has {seconds:.0f} s left around a durable wait and would be forgotten when "
            "the run leaves memory. Give the wait a timeout, or race it against step.sleep."
        )


class StepCancelled(RunsError):
    """What a sync step may raise when it sees `current_attempt().cancelled`."""

    code = "step_cancelled"

    def __init__(self, step: str) -> None:
        super().__init__(f"Step {step!r} was told to stop. Return or raise as soon as the flag is seen.")


class EmitTooLarge(RunsError):
    code = "emit_too_large"

    def __init__(self, step: str, size: int, limit: int) -> None:
        super().__init__(f"One emit of step {step!r} is {size} bytes and the limit is {limit}. Emit smaller pieces.")


class Suspended(BaseException):
    """Raised by every `step.*` of a sealed context; derives from BaseException so that job code cannot eat it."""
