"""Every exception of the engine.

Errors build their own message from data and end with the remedy. `code` is stable: doors map it to a status
in one table of their own, because a domain error knows no transport.
"""

from typing import Any, ClassVar


class RunsError(Exception):
    """Base of all errors that a caller can meet; never raised itself."""

    code: ClassVar[str] = "error"
    failed_steps: tuple[str, ...] = ()  # the steps whose failure it is: a retry of the run begins with them

    @property
    def details(self) -> dict[str, Any]:
        return {}


class JobNotFound(RunsError):
    code = "job_not_found"

    def __init__(self, name: str, version: str | None = None) -> None:
        what = f"job {name!r}" if version is None else f"version {version!r} of job {name!r}"
        super().__init__(f"There is no {what}. Register it with @job in the jobs.py of an installed app.")


class JobAlreadyRegistered(RunsError):
    code = "job_already_registered"

    def __init__(self, name: str, version: str, first: str, second: str) -> None:
        super().__init__(
            f"Job {name!r} version {version!r} is defined by {first} and by {second}. "
            "Give one of them another name or version."
        )


class InvalidJob(RunsError):
    code = "invalid_job"

    def __init__(self, name: str, problem: str, remedy: str) -> None:
        super().__init__(f"Job {name!r} {problem}. {remedy}")


class InvalidInput(RunsError):
    """The input of a run does not fit its job; `fields` is a list of `{"field", "message"}`."""

    code = "invalid_input"

    def __init__(self, job: str, fields: list[dict[str, str]]) -> None:
        self.fields = fields
        named = "; ".join(f"{field['field']}: {field['message']}" for field in fields[:5])
        super().__init__(f"The input does not fit job {job!r}: {named}. Send what the job's input schema asks for.")

    @property
    def details(self) -> dict[str, Any]:
        return {"fields": self.fields}


class InvalidOutput(RunsError):
    code = "invalid_output"

    def __init__(self, job: str, problem: str) -> None:
        super().__init__(f"The output does not fit job {job!r}: {problem}. Return what the job's output type declares.")


class InvalidOption(RunsError):
    code = "invalid_option"

    def __init__(self, option: str, problem: str, remedy: str) -> None:
        self.option = option
        super().__init__(f"Option {option!r} {problem}. {remedy}")

    @property
    def details(self) -> dict[str, Any]:
        return {"option": self.option}


class HandlerNotFound(RunsError):
    """A query or update that the run's job does not have."""

    code = "handler_not_found"

    def __init__(self, job: str, kind: str, name: str, known: list[str]) -> None:
        named = ", ".join(known[:20]) or "none"
        super().__init__(f"Job {job!r} has no {kind} {name[:100]!r}. Name one that it has: {named}.")


class InvalidArguments(RunsError):
    """What a query or an update was given does not fit; `fields` is a list of `{"field", "message"}`."""

    code = "invalid_arguments"

    def __init__(self, what: str, fields: list[dict[str, str]]) -> None:
        self.fields = fields
        named = "; ".join(f"{field['field']}: {field['message']}" for field in fields[:5])
        super().__init__(f"What was sent does not fit {what}: {named}. Send what its schema asks for.")

    @property
    def details(self) -> dict[str, Any]:
        return {"fields": self.fields}


class QueryFailed(RunsError):
    """A query whose handler raised, or returned what is no answer."""

    code = "query_failed"

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"Query {name!r} failed: {problem}. Mend its handler, or ask it something else.")


class HandlerTimeout(RunsError):
    """A query or a validator that did not end in time."""

    code = "handler_timeout"

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(f"The {what} took longer than {seconds:g} s. Ask again later, or make it read less.")


class UpdateRefused(RunsError):
    """An update that its validator did not let in; nothing was recorded."""

    code = "update_refused"

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"Update {name!r} is refused: {problem}. Send one that the run can take now.")


class UpdateNotFound(RunsError):
    code = "update_not_found"

    def __init__(self, run_id: object, update_id: object) -> None:
        super().__init__(f"Run {run_id} has no update {str(update_id)[:40]!r}. Use the id that its sending gave.")


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


class InvalidState(RunsError):
    code = "invalid_state"

    def __init__(self, problem: str) -> None:
        super().__init__(f"The state cannot be changed so: {problem}. Give a JSON object, or a patch that fits it.")


class SignalTimeout(RunsError):
    """A wait for a signal that reached its deadline."""

    code = "signal_timeout"

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        super().__init__(
            f"No signal {' or '.join(repr(name) for name in names)} came in time. "
            "Catch SignalTimeout to go on without it, or give the wait more time."
        )


class InvalidSignal(RunsError):
    code = "invalid_signal"

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"The payload of signal {name!r} does not fit: {problem}. Send what its wait asks for.")


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


class RunTimeout(RunsError):
    code = "run_timeout"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The run worked longer than its {seconds:g} s. Raise the job's timeout or split the job.")


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


class NondeterminismError(RunsError):
    """The code no longer matches the run's history; pauses the run and touches nothing."""

    code = "nondeterminism"

    def __init__(self, expected: str, met: str) -> None:
        self.expected, self.met = expected, met
        super().__init__(
            f"The run's history has {expected} where the code now has {met}. "
            "Deploy the code that the run began with and resume it, or start a new run."
        )


class Suspended(BaseException):
    """Raised by every `step.*` of a sealed context; derives from BaseException so that job code cannot eat it."""
