"""What signals, queries and updates fail with."""

from runs.errors.base import RunsError


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
