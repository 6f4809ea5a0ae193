"""A real Perdure to measure: web process, workers, and a program that starts runs over the Python API."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.programs import Program
from benchmarks.wire import Wire
from tests.servers.installation import Installation


class Perdure:
    """`ask` calls a function of `benchmarks.caller` in a process with the installation's settings."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        # Not by way of a proxy: what it asks is no work of Perdure's.
        direct = {"DATABASE_URL": installation.database_url} if installation.database_url else {}
        environment = {**installation.environment, **direct}
        self.caller = Program(sys.executable, "-m", "benchmarks.caller", environment=environment)

    def ask(self, what: str, **arguments: Any) -> Any:
        return self.caller.ask(what, **arguments)

    @property
    def database_url(self) -> str:
        return self.installation.database_url or ""


@contextmanager
def perdure(*, postgresql: bool = True, **environment: str) -> Iterator[Perdure]:
    """Started with the benchmarks' jobs, removed at the end; other arguments are environment variables."""
    installation = Installation(postgresql=postgresql, PERDURE_APPS="benchmarks")
    installation.environment |= environment
    with started(installation) as found:
        yield found


@contextmanager
def perdure_on_the_wire() -> Iterator[tuple[Perdure, Wire]]:
    """On PostgreSQL, with what all its processes ask of the database counted."""
    installation = Installation(postgresql=True, PERDURE_APPS="benchmarks")
    wire = Wire(str(installation.database_url))
    installation.environment["DATABASE_URL"] = wire.url
    try:
        with started(installation) as found:
            yield found, wire
    finally:
        wire.close()


@contextmanager
def started(installation: Installation) -> Iterator[Perdure]:
    """Removed at the end, also one that did not start."""
    try:
        found = Perdure(installation.start())
        try:
            yield found
        finally:
            found.caller.close()
    finally:
        installation.remove()
