"""The database of the simulations: the real schema in memory, with triggers that see a wrong write as it happens."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

from django.core.management import call_command
from django.db import connection, connections

from runs import clock

_TABLES = """
CREATE TABLE seen (what TEXT NOT NULL, run TEXT NOT NULL, detail TEXT);
CREATE TABLE effect (run TEXT NOT NULL, step TEXT NOT NULL);
"""
_WRONG = {
    "an end was left": (
        "UPDATE ON runs_run",
        "OLD.status IN ('completed', 'cancelled') AND NEW.status <> OLD.status "
        "OR OLD.status = 'failed' AND NEW.status NOT IN ('failed', 'queued')",
        "NEW.id", "OLD.status || ' ' || NEW.status",
    ),
    "a token or number went back": (
        "UPDATE ON runs_run",
        "NEW.lease_token < OLD.lease_token OR NEW.write_no < OLD.write_no OR NEW.last_sequence < OLD.last_sequence",
        "NEW.id", "NEW.lease_token || ' ' || NEW.write_no",
    ),
    "a recorded result was written again": (
        "UPDATE ON runs_step", "OLD.status = 'completed' AND NEW.status <> 'cancelled'",
        "NEW.run_id", "NEW.name || ' ' || NEW.status",
    ),
    "a taken signal was taken again": (
        "UPDATE ON runs_signal",
        "OLD.consumed_by IS NOT NULL AND NEW.consumed_by IS NOT NULL AND NEW.consumed_by <> OLD.consumed_by",
        "NEW.run_id", "NEW.name || ' by ' || OLD.consumed_by || ' and ' || NEW.consumed_by",
    ),
    "a number was left out": (
        "INSERT ON runs_event",
        "NEW.sequence <> 1 + (SELECT COALESCE(MAX(sequence), 0) FROM runs_event "
        "WHERE run_id = NEW.run_id AND id <> NEW.id)",
        "NEW.run_id", "NEW.sequence || ' ' || NEW.type",
    ),
    "a run went to sleep over a signal": (
        "UPDATE ON runs_run",
        "NEW.status = 'waiting' AND OLD.status = 'running' AND EXISTS (SELECT 1 FROM runs_step WHERE run_id = NEW.id "
        "AND kind = 'signal' AND status = 'running') AND EXISTS (SELECT 1 FROM runs_signal WHERE run_id = NEW.id "
        "AND kind = 'signal' AND consumed_by IS NULL)",
        "NEW.id", "NEW.inbox",
    ),
    "an event was changed": ("UPDATE ON runs_event", "1", "NEW.run_id", "NEW.sequence"),
}  # fmt: skip
"""What no writer may ever do: on which rows, when, of which run, and what to tell."""

_WORK = {
    "claim": "SELECT 1 FROM runs_run WHERE status IN ('queued', 'waiting') AND due_at <= %s OR end_hook = 'due' "
    "OR status = 'running' AND lease_worker NOT IN (SELECT id FROM runs_worker WHERE expires_at > %s) LIMIT 1",
    "sweep": "SELECT 1 FROM runs_run WHERE tell_parent OR status = 'cancelled' LIMIT 1",
    # these mend and mark what is wrong for a while: here nothing may go wrong
    "look": "SELECT 1 WHERE 0",
    "mark": "SELECT 1 WHERE 0",
}
"""By function that workers call again and again: whether it would find more than nothing, asked in a tenth of its
time."""


class MemoryDatabase:
    """Of this process: made once, as new for each simulation."""

    def __init__(self) -> None:
        # all simulated threads are this one, and their tasks share its connection too
        connections._connections = SimpleNamespace(default=connections["default"])
        connection.settings_dict["NAME"] = ":memory:"
        call_command("migrate", verbosity=0)
        with connection.cursor() as cursor:
            cursor.connection.executescript(_TABLES)
            for number, (what, (event, condition, run, detail)) in enumerate(_WRONG.items()):
                cursor.connection.executescript(
                    f"CREATE TRIGGER wrong_{number} AFTER {event} WHEN {condition} BEGIN "
                    f"INSERT INTO seen VALUES ('{what}', {run}, {detail}); END;"
                )
        self._empty: bytes = connection.connection.serialize()

    @contextmanager
    def as_new(self) -> Iterator[None]:
        # a connection of its own: SQLite 3.40 crashes where statements that it keeps meet a schema put in under them
        before, fresh = connection.connection, connection.get_new_connection(connection.get_connection_params())
        fresh.deserialize(self._empty)
        connection.connection = fresh
        before.close()
        try:
            yield
        finally:
            connection.in_atomic_block = False

    @staticmethod
    def is_idle_call(function: str) -> bool:
        """Whether this look of a worker would find nothing; most looks of a simulation do."""
        if function not in _WORK:
            return False
        with connection.cursor() as cursor:
            statement = _WORK[function]
            now = connection.ops.adapt_datetimefield_value(clock.now())
            cursor.execute(statement, [now] * statement.count("%s"))
            return cursor.fetchone() is None

    @staticmethod
    def seen() -> list[str]:
        """What the triggers have seen."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT what, run, detail FROM seen")
            return [f"{what}: run {run[-4:]} {detail}" for what, run, detail in cursor.fetchall()]

    @staticmethod
    def effects(run: str, step: str) -> int:
        """How often a transactional step's own write is there."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM effect WHERE run = %s AND step = %s", [run, step])
            return int(cursor.fetchone()[0])

    @staticmethod
    def leave_effect(run: str, step: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO effect VALUES (%s, %s)", [run, step])
