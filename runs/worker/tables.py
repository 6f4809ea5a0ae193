"""Whether the database has the tables that this code works with: on older ones runs would fail, not wait."""

from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor

from runs.engine.outages import describe

_NAMED = 3


def problem() -> str | None:
    """Why no run can be driven on this database, in words with the remedy; None when it is ready.

    It leaves no connection open.
    """
    try:
        missing = _unapplied()
    except (DatabaseError, InterfaceError) as exc:
        return describe(exc)
    finally:
        connection.close()
    if not missing:
        return None
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    return f"migrations are not applied: {', '.join(missing[:_NAMED])}{more}. Run `manage.py migrate`"


def _unapplied() -> list[str]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
