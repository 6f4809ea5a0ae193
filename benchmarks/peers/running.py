"""Other engines and queues, each in an environment and a process of its own, on the same database server."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.peers.environments import environment_for
from benchmarks.programs import Program
from tests.servers import databases

DBOS = "DBOS"
ABSURD = "absurd"
CELERY = "Celery + Redis"
PROCRASTINATE = "Procrastinate"
DJANGO_Q2 = "django-q2"

PROGRAMS = {
    DBOS: "dbos_program",
    ABSURD: "absurd_program",
    CELERY: "celery_program",
    PROCRASTINATE: "procrastinate_program",
    DJANGO_Q2: "django_q2_program",
}
"""The module in this package that is run in the peer's environment."""


@contextmanager
def peers_on(url: str, names: tuple[str, ...]) -> Iterator[dict[str, Program]]:
    """Each started with an empty database of its own on the server of `url`; ended, and it removed, at the end."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(_peer_on(url, name)) for name in names}


@contextmanager
def _peer_on(server: str, name: str) -> Iterator[Program]:
    python = environment_for(PROGRAMS[name])
    url = databases.create_database(server)
    program = Program(str(python), "-m", f"benchmarks.peers.{PROGRAMS[name]}", url)
    try:
        yield program
    finally:
        program.close()
        databases.drop_database(server, url)
