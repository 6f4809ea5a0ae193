"""What jobs, their inputs, options and handlers are refused for."""

from typing import Any

from runs.errors.base import RunsError


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


class JobsNotLoaded(RunsError):
    """The `jobs` module of an app cannot be imported: no process starts without jobs that it should have."""

    code = "jobs_not_loaded"

    def __init__(self, app: str, problem: BaseException) -> None:
        super().__init__(
            f"The module {app}.jobs cannot be imported: {type(problem).__name__}: {problem}. Correct it, or take the "
            f"app {app} out of PERDURE_APPS, and start again; its runs wait until then."
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
